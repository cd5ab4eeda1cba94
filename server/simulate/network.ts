/** The network that is simulated: a real coordinator in a temporary folder, real node programs, a requester. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { READY_TIMEOUT_MS } from './limits.ts';
import { type Processes, startProcesses } from './processes.ts';
import { createProgram } from './program.ts';
import type { SimulateOptions } from './simulate.ts';

/** The id that the model is served by. */
export const MODEL = 'simulated';

type Taken = 'modelDir' | 'stages' | 'speculate' | 'link' | 'processes' | 'seed' | 'log' | 'signal';

export interface NetworkOptions extends Pick<SimulateOptions, Taken> {
  /** Node programs in all. */
  nodes: number;
  /** Longest text to serve, tokens. */
  contextLength: number;
}

export interface Network {
  requester: AiloNode;
  programs: Processes;
  close(): Promise<void>;
}

/** Throws what the model's files throw, PLAN_IMPOSSIBLE, SIMULATION_FAILED, MODEL_NOT_READY, CANCELLED; then nothing is left running. */
export async function openNetwork(options: NetworkOptions): Promise<Network> {
  const { modelDir, stages, speculate, contextLength, nodes, link, processes, seed, log, signal } = options;
  const folder = await mkdtemp(join(tmpdir(), 'ailo-simulate-'));
  /** Undone in reverse order, whatever happens. */
  const undo: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const room = { dir: modelDir, id: MODEL, stages, speculate, contextLength };
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
    const look = () => {
      const model = find();
      if (model && model.ready === model.stages) settle(resolve);
    };
    const stop = requester.subscribe(look);
    const settle = (then: () => void) => {
      stop();
      then();
    };
    signal.addEventListener('abort', () => settle(() => reject(AiloError.of('CANCELLED', {}))));
    timeout.addEventListener('abort', () => {
      const { ready = 0, stages = 0 } = find() ?? {};
      settle(() => reject(AiloError.of('MODEL_NOT_READY', { model: MODEL, ready, stages })));
    });
    look();
  });
}
