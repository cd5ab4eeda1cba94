/** `npm run bench -- pipeline`: a model over four node processes beside the same model in one. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Cli, type Command, choice, integer } from '../../../server/cli.ts';
import { askRoom, decodeSpeed, jointSpeed, median, openAlone, percentile } from './measure.ts';
import { promptOf, writeModel } from './model.ts';
import { openRoom } from './room.ts';
import { HOP_SHAPE, SHAPES, type Shape } from './shapes.ts';

const STAGES = 4;
const STREAMS = 8;
const PROMPT_TOKENS = 16;
const SEED = 1;
/** Answers before the one whose hops are measured. */
const HOP_WARM_UPS = 3;
const QUANT = 'int8';
const BUDGET_MIB = 6144;

export const pipeline: Command = {
  options: {
    shape: { type: 'string', value: 'NAME', description: `${Object.keys(SHAPES).join(', ')} (qwen-1.8b)` },
    threads: { type: 'string', value: 'N', description: 'threads that compute, of each process (1)' },
  },

  async run(values, cli) {
    const name = choice(values, 'shape', Object.keys(SHAPES) as (keyof typeof SHAPES)[], 'qwen-1.8b');
    const threads = integer(values, 'threads', { min: 1, max: 1024, default: 1 });
    const folder = await mkdtemp(join(tmpdir(), 'ailo-pipeline-'));
    try {
      const hop = await measureHops(join(folder, 'hop'), cli);
      cli.print(`a hop: ${hop.hopMsP50} ms (p99 ${hop.hopMsP99} ms)`);
      const speeds = await measureSpeeds(join(folder, name), SHAPES[name], threads, cli);
      cli.result({ benchmark: 'pipeline', shape: name, stages: STAGES, threads, quant: QUANT, ...hop, ...speeds });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

/** Each token takes as many hops as there are stages: from each to the next, and from the last to the first. */
async function measureHops(folder: string, { log, signal }: Cli) {
  const modelDir = join(folder, 'model');
  await writeModel(modelDir, HOP_SHAPE, SEED);
  const { contextLength, tokens } = HOP_SHAPE;
  const options = { folder, modelDir, quant: QUANT, contextLength, stages: STAGES, threads: 1, budgetMib: 64 } as const;
  const room = await openRoom({ ...options, hollow: true, streams: 1, log, signal });
  try {
    // The engines of JavaScript compile what runs often: a node that has been up for a minute has had a thousand hops.
    for (let i = 0; i < HOP_WARM_UPS; i++) await askRoom(room, 0, promptOf(PROMPT_TOKENS, 0), tokens);
    const times = await askRoom(room, 0, promptOf(PROMPT_TOKENS, 0), tokens);
    const hops = times.slice(1).map((time, i) => (time - times[i]!) / STAGES);
    return { hopMsP50: round(percentile(hops, 0.5)), hopMsP99: round(percentile(hops, 0.99)) };
  } finally {
    await room.close();
  }
}

async function measureSpeeds(folder: string, shape: Shape, threads: number, { log, signal, print }: Cli) {
  const { contextLength, tokens, rounds } = shape;
  const modelDir = join(folder, 'model');
  await writeModel(modelDir, shape, SEED);
  print('the model is written');
  const common = { quant: QUANT, contextLength, threads } as const;
  // Of equal models in a virtual machine, the one that was loaded first has been up to 12 % slower for as long as it lay in
  // memory: one is loaded before the room and one after it.
  const before = await openAlone(modelDir, common);
  const room = await openRoom({
    ...{ ...common, folder, modelDir, stages: STAGES, budgetMib: BUDGET_MIB, streams: STREAMS, log, signal },
  });
  try {
    const peakRssMib = await room.peakRssMib();
    print(`the room is ready; most memory of its nodes while loading: ${peakRssMib.join(', ')} MiB`);
    const after = await openAlone(modelDir, common);
    const speeds = { alone: [] as number[], room: [] as number[], together: [] as number[] };
    const prompt = promptOf(PROMPT_TOKENS, 0);
    const together = () =>
      Promise.all(
        Array.from({ length: STREAMS }, (_, stream) => askRoom(room, stream, promptOf(PROMPT_TOKENS, stream), tokens)),
      );
    try {
      // What the machine does beside this changes: each round measures all three.
      for (let i = 0; i < rounds; i++) {
        const first = decodeSpeed(await before.ask(prompt, tokens));
        const last = decodeSpeed(await after.ask(prompt, tokens));
        speeds.alone.push(2 / (1 / first + 1 / last));
        speeds.room.push(decodeSpeed(await askRoom(room, 0, prompt, tokens)));
        speeds.together.push(jointSpeed(await together()));
        print(`round ${i + 1}: ${Object.values(speeds).map((all) => all.at(-1)!.toFixed(2))} tokens/s`);
      }
    } finally {
      await after.close();
    }
    const result = {
      aloneTokensPerSecond: round(median(speeds.alone)),
      roomTokensPerSecond: round(median(speeds.room)),
      roomShare: round(median(speeds.room.map((speed, i) => speed / speeds.alone[i]!))),
      streams: STREAMS,
      streamsTokensPerSecond: round(median(speeds.together)),
      streamsGain: round(median(speeds.together.map((speed, i) => speed / speeds.room[i]!))),
      loadPeakRssMib: peakRssMib,
      peakRssMib: await room.peakRssMib(),
    };
    print(
      `one process ${result.aloneTokensPerSecond} tokens/s, ${STAGES} nodes ${result.roomTokensPerSecond} (${result.roomShare})`,
    );
    print(`${STREAMS} streams ${result.streamsTokensPerSecond} tokens/s (${result.streamsGain} times one)`);
    print(`most memory of each node: ${result.peakRssMib.join(', ')} MiB`);
    return result;
  } finally {
    await room.close();
    await before.close();
  }
}

function round(value: number): number {
  return Number(value.toFixed(3));
}
