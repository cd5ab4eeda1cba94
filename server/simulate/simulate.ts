/** A whole network on one machine: a real coordinator, real node programs, made-up links; one answer, measured. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { AiloError } from '../../shared/errors/index.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { generateInProcess } from '../generate/in-process.ts';
import { folderSource } from '../model/folder-source.ts';
import type { LinkOptions } from './delay.ts';
import { latencyFloor, type Speed, speedOf, tokensLost } from './figures.ts';
import { READY_TIMEOUT_MS } from './limits.ts';
import { drawLosses } from './losses.ts';
import { type Usage, usageNow } from './process-messages.ts';
import { type Processes, startProcesses } from './processes.ts';
import { createProgram } from './program.ts';
import { type Answer, ask } from './question.ts';

export interface SimulateOptions {
  /** A model in Hugging Face layout. */
  modelDir: string;
  prompt: string;
  stages: number;
  link: LinkOptions;
  /** Node programs that are ended in the middle of the answer; as many stand by in addition. */
  kills: number;
  tokens: number;
  sampling: Sampling;
  seed: number;
  processes: number;
  print(line: string): void;
  log: Logger;
  signal: AbortSignal;
}

export interface SimulateResult extends Speed {
  stages: number;
  /** Node programs in all. */
  nodes: number;
  tokens: number;
  latencyFloorTokensPerSecond: number | null;
  /** Time per token over its floor. */
  timesFloor: number | null;
  /** Times that the answer stood still for a lost node and went on. */
  recovered: number;
  pausesMs: number[];
  tokensLost: number;
  /** The answer is the one that a single machine gives. */
  identical: boolean;
  coordinatorCpuMs: number;
  nodesCpuMs: number;
  rssMb: number;
  readyMs: number;
}

const MODEL = 'simulated';

/**
 * Throws PLAN_IMPOSSIBLE for more stages than the model has units, PROMPT_TOO_LONG, SIMULATION_FAILED, CANCELLED, and what
 * a model's files throw.
 */
export async function simulate(options: SimulateOptions): Promise<SimulateResult> {
  const { modelDir, prompt, stages, kills, sampling, seed, tokens: maxNewTokens, signal } = options;
  const question = { model: MODEL, messages: [{ role: 'user' as const, content: prompt }], maxNewTokens, sampling };
  const codec = await loadTextCodec(folderSource(modelDir), signal);
  const promptTokens = codec.encodeChat(question.messages);
  const expected = await alone(promptTokens, options);
  const nodes = stages + kills;
  const startedMs = performance.now();
  const network = await openNetwork({ ...options, nodes, contextLength: promptTokens.length + maxNewTokens });
  try {
    const readyMs = Math.round(performance.now() - startedMs);
    options.print(`All ${stages} parts are loaded (${readyMs} ms); asking for ${maxNewTokens} tokens.`);
    const { requester, programs } = network;
    const before = { coordinator: usageNow(), programs: await programs.usage() };
    const losses = drawLosses(kills, stages, maxNewTokens, seed);
    const answer = await ask(requester, question, losses, programs.end, signal);
    const after = { coordinator: usageNow(), programs: await programs.usage() };
    const costs = {
      coordinatorCpuMs: Math.round(after.coordinator.cpuMs - before.coordinator.cpuMs),
      nodesCpuMs: Math.round(total(after.programs, 'cpuMs') - total(before.programs, 'cpuMs')),
      rssMb: Math.round((after.coordinator.rssBytes + total(after.programs, 'rssBytes')) / 1e6),
    };
    return { stages, nodes, ...told(answer, expected, options), ...costs, readyMs };
  } finally {
    await network.close();
  }
}

/** What one machine answers: an f32 room gives the same to the bit. */
async function alone(tokens: number[], options: SimulateOptions): Promise<number[]> {
  const { modelDir, sampling, tokens: maxNewTokens, signal } = options;
  const request = {
    tokens,
    maxNewTokens,
    sampling,
    stages: 1,
    quant: 'f32',
    engine: 'node',
    withLogits: false,
  } as const;
  const answer: number[] = [];
  for await (const event of generateInProcess(modelDir, request, signal)) {
    if (event.kind === 'token') answer.push(event.token);
  }
  return answer;
}

interface Network {
  requester: AiloNode;
  programs: Processes;
  close(): Promise<void>;
}

async function openNetwork(options: SimulateOptions & { nodes: number; contextLength: number }): Promise<Network> {
  const { modelDir, stages, contextLength, nodes, link, processes, seed, log, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ailo-simulate-'));
  /** Undone in reverse order, whatever happens. */
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const room = { dir: modelDir, id: MODEL, stages, contextLength };
    const dataDir = join(folder, 'coordinator');
    const coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models: [room], log, signal });
    undo.push(() => coordinator.close());
    const common = { url: coordinator.url, chunksDir: join(folder, 'chunks') };
    const { node: requester } = createProgram({ ...common, log });
    undo.push(() => requester.stop());
    requester.start();
    const programs = await startProcesses({ ...common, link, processes, programs: nodes, seed, logLevel: log.level });
    undo.push(() => programs.close());
    const timeout = AbortSignal.timeout(READY_TIMEOUT_MS);
    await Promise.all([programs.loaded(AbortSignal.any([signal, timeout])), allReady(requester, signal, timeout)]);
    return { requester, programs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** When the network says that every stage is held. */
function allReady(requester: AiloNode, signal: AbortSignal, timeout: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const find = () => requester.state.models.find(({ id }) => id === MODEL);
    const stop = requester.subscribe(() => {
      const model = find();
      if (model?.ready === model?.stages && model) settle(resolve);
    });
    const settle = (then: () => void) => {
      stop();
      then();
    };
    signal.addEventListener('abort', () => settle(() => reject(AiloError.of('CANCELLED', {}))));
    timeout.addEventListener('abort', () => {
      const { ready = 0, stages = 0 } = find() ?? {};
      settle(() => reject(AiloError.of('MODEL_NOT_READY', { model: MODEL, ready, stages })));
    });
  });
}

function told(answer: Answer, expected: number[], { stages, link }: SimulateOptions) {
  const speed = speedOf(answer);
  const floor = latencyFloor(stages, link.latencyMs);
  const lost = tokensLost(expected, answer.tokens);
  return {
    tokens: answer.tokens.length,
    ...speed,
    latencyFloorTokensPerSecond: floor.tokensPerSecond,
    timesFloor: floor.tokensPerSecond && floor.tokensPerSecond / speed.tokensPerSecond,
    recovered: answer.pausesMs.length,
    pausesMs: answer.pausesMs,
    tokensLost: lost,
    identical: lost === 0 && answer.tokens.length === expected.length,
  };
}

function total(usages: Usage[], of: keyof Usage): number {
  return usages.reduce((sum, usage) => sum + usage[of], 0);
}
