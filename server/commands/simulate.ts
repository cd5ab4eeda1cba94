/** `ailo simulate`: a network of hundreds of nodes on this machine, and how fast it answers. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_NEW_TOKENS, MAX_STAGES } from '../../shared/protocol/limits.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { type Cli, type Command, integer, number, string, usage, type Values } from '../cli.ts';
import { MAX_KILLS, MAX_PROCESSES } from '../simulate/limits.ts';
import { madeUpPrompt, writeMadeUpModel } from '../simulate/made-up-model.ts';
import { SHAPES } from '../simulate/shapes.ts';
import { type SimulateResult, simulate } from '../simulate/simulate.ts';

const DEFAULT_TOKENS = 30;
const DEFAULT_LATENCY_MS = 20;
const DEFAULT_PROCESSES = 2;
const PROMPT_TOKENS = 16;

export const simulateCommand: Command = {
  options: {
    model: {
      type: 'string',
      value: 'ID|DIR',
      description: `its layers with narrow random weights: ${SHAPES.map(({ id }) => id).join(', ')}; or a model's folder`,
    },
    nodes: { type: 'string', value: 'N', description: "parts, each on a node of its own (the catalogue's figure)" },
    'latency-ms': {
      type: 'string',
      value: 'L',
      description: `one way between neighbours (${DEFAULT_LATENCY_MS}); the floor of a token is N of them: once around the ring`,
    },
    jitter: { type: 'string', value: 'J', description: 'ms that each message takes more or less, at most (0)' },
    loss: {
      type: 'string',
      value: 'P',
      description: 'share of messages that are lost (0): sent again as TCP would, 200 ms and a round trip later',
    },
    kill: { type: 'string', value: 'K', description: 'nodes that end in the middle; K more stand by for them (0)' },
    tokens: { type: 'string', value: 'T', description: `length of the answer (${DEFAULT_TOKENS})` },
    prompt: { type: 'string', value: 'TEXT', description: `what is asked (${PROMPT_TOKENS} random tokens)` },
    temperature: { type: 'string', value: 'X', description: '0 (greedy, the default) to 2' },
    seed: { type: 'string', value: 'S', description: 'of weights, prompt, sampling, links and who is killed (1)' },
    processes: { type: 'string', value: 'N', description: `processes that the nodes share (${DEFAULT_PROCESSES})` },
  },

  async run(values, cli) {
    const seed = integer(values, 'seed', { min: 0, max: 2 ** 32 - 1, default: 1 });
    const kills = integer(values, 'kill', { min: 0, max: MAX_KILLS, default: 0 });
    const chosen = {
      link: {
        latencyMs: number(values, 'latency-ms', { min: 0, max: 10_000, default: DEFAULT_LATENCY_MS }),
        jitterMs: number(values, 'jitter', { min: 0, max: 10_000, default: 0 }),
        lossRate: number(values, 'loss', { min: 0, max: 0.5, default: 0 }),
      },
      kills,
      tokens: integer(values, 'tokens', { min: kills + 2, max: MAX_NEW_TOKENS, default: DEFAULT_TOKENS }),
      sampling: { ...GREEDY, temperature: number(values, 'temperature', { min: 0, max: 2, default: 0 }), seed },
      seed,
      processes: integer(values, 'processes', { min: 1, max: MAX_PROCESSES, default: DEFAULT_PROCESSES }),
      print: cli.print,
      log: cli.log,
      signal: cli.signal,
    };
    const folder = await mkdtemp(join(tmpdir(), 'ailo-shape-'));
    try {
      const model = await openModel(values, folder, seed);
      const stages = integer(values, 'nodes', { min: 1, max: MAX_STAGES, default: model.nodes });
      const result = await simulate({ ...chosen, ...model, stages });
      describe(result, cli);
      cli.result({ model: model.id, latencyMs: chosen.link.latencyMs, seed, ...result });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** A shape of the catalogue is written to `folder`; a folder is taken as it is. */
async function openModel(values: Values, folder: string, seed: number) {
  const wished = string(values, 'model', SHAPES[2]!.id);
  const shape = SHAPES.find(({ id }) => id === wished);
  if (!shape) {
    if (!existsSync(wished)) throw usage(`--model must be a folder or one of ${SHAPES.map(({ id }) => id).join(', ')}`);
    return { id: wished, modelDir: wished, prompt: string(values, 'prompt', 'Once upon a time'), nodes: 4 };
  }
  await writeMadeUpModel(folder, shape.config, seed);
  const prompt = string(values, 'prompt', madeUpPrompt(PROMPT_TOKENS, shape.config.vocabSize, seed));
  return { id: shape.id, modelDir: folder, prompt, nodes: shape.nodes };
}

function describe(result: SimulateResult, { print }: Cli): void {
  const { tokens, tokensPerSecond, latencyFloorTokensPerSecond: floor, timesFloor, tokenMsP50, tokenMsP95 } = result;
  const fixed = (value: number | null, digits: number) => value?.toFixed(digits) ?? '–';
  print(`${tokens} tokens, ${fixed(tokensPerSecond, 3)} a second; latency alone would allow ${fixed(floor, 3)}.`);
  print(`A token took ${fixed(tokenMsP50, 0)} ms (p95: ${fixed(tokenMsP95, 0)}), ${fixed(timesFloor, 2)} × its floor.`);
  if (result.recovered > 0)
    print(`Nodes lost and replaced: ${result.recovered}, pauses (ms): ${result.pausesMs.join(', ')}.`);
  print(`The answer is ${result.identical ? 'the same as' : 'NOT the same as'} that of one machine.`);
  print(`Coordinator: ${result.coordinatorCpuMs} ms CPU, nodes: ${result.nodesCpuMs} ms; memory ${result.rssMb} MB.`);
}
