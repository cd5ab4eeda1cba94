/** `npm run bench -- updates`: what updates of a model's true shapes take, filled from a pool of random values. */
import { type Command, integer } from '../../server/cli.ts';
import { AiloError } from '../../shared/errors/index.ts';
import { aggregate } from '../../shared/train/aggregate/aggregate.ts';
import type { Contribution } from '../../shared/train/aggregate/cohort.ts';
import { measureUpdate } from '../../shared/train/aggregate/measure.ts';
import { confirmedMean } from '../../shared/train/aggregate/rules.ts';
import { encodeUpdate } from '../../shared/train/codec/encode.ts';
import { UPLINK_KEEP } from '../../shared/train/codec/limits.ts';
import { type ParameterSpace, spaceValues } from '../../shared/train/codec/space.ts';
import type { ParameterStore } from '../../shared/train/codec/store.ts';
import { randomValues } from '../../shared/train/codec/testing.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { PRESET_NAMES, PRESETS } from '../../shared/train/presets.ts';

const header = { campaign: 'bench', round: 1, unit: new Uint8Array(16), start: new Uint8Array(32) };
const pool = randomValues(2 ** 22, 1);
const CHUNK = 2 ** 18;
const COHORT = 8;

export const updates: Command = {
  options: {
    model: { type: 'string', value: 'NAME', description: `${PRESET_NAMES.join(', ')} (ailo-840m)` },
    keep: { type: 'string', value: 'N', description: `values sent of a block (${UPLINK_KEEP})` },
  },

  async run(values, cli) {
    const name = PRESET_NAMES.find((preset) => preset === (values.model ?? 'ailo-840m'));
    if (!name) throw AiloError.of('USAGE', { reason: `--model is one of ${PRESET_NAMES.join(', ')}` });
    const keep = integer(values, 'keep', { min: 1, max: 4096, default: UPLINK_KEEP });
    const space = parametersOf(PRESETS[name]);
    const warmUp = space.slice(2, 14);
    await measure(warmUp, keep);
    const one = await measure(space, keep);
    cli.print(`${one.bytes} bytes for ${one.values} values, of which ${one.sent} are sent`);
    cli.print(`encoded in ${one.encodeS} s (${one.encodeCpuS} s of CPU), read in ${one.readS} s`);
    const joinCpuS = await measureJoining(space, keep);
    cli.print(`${COHORT} of them joined in ${joinCpuS} s of CPU`);
    cli.result({ benchmark: 'updates', model: name, keep, ...one, joined: COHORT, joinCpuS });
  },
};

async function measure(space: ParameterSpace, keep: number) {
  const chunks: Uint8Array[] = [];
  const cpu = cpuClock();
  const encodeBegan = performance.now();
  const encoding = encodeUpdate(header, space, { codec: 'sparse', keep }, deltas(space), feedback);
  for await (const chunk of encoding) chunks.push(chunk);
  const encodeCpuS = cpu();
  const readBegan = performance.now();
  const { values: sent } = await measureUpdate(chunks, space, { codec: 'sparse', keep });
  return {
    values: spaceValues(space),
    sent,
    bytes: chunks.reduce((sum, { length }) => sum + length, 0),
    encodeS: seconds(readBegan - encodeBegan),
    encodeCpuS,
    readS: seconds(performance.now() - readBegan),
  };
}

/** Seconds of CPU to join updates from different values, extrapolated from the first tensors after the embeddings. */
async function measureJoining(whole: ParameterSpace, keep: number): Promise<number> {
  const space = whole.slice(2, 14);
  const format = { codec: 'sparse', keep } as const;
  const cohort: Contribution[] = [];
  for (let k = 1; k <= COHORT; k++) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeUpdate(header, space, format, deltas(space, k))) chunks.push(chunk);
    const { norm } = await measureUpdate(chunks, space, format);
    cohort.push({ unit: new Uint8Array(16).fill(k), open: () => chunks, norm, sequences: 1, staleness: 0 });
  }
  const cpu = cpuClock();
  for await (const _ of aggregate(cohort, space, format, confirmedMean));
  return seconds((1000 * cpu() * spaceValues(whole)) / spaceValues(space));
}

function* deltas(space: ParameterSpace, seed = 0): Generator<Float32Array> {
  let at = 7919 * seed;
  for (let left = spaceValues(space); left > 0; left -= CHUNK) {
    at = (at + 1_000_003) % (pool.length - CHUNK);
    yield pool.subarray(at, at + Math.min(left, CHUNK));
  }
}

/** Reads from the pool and forgets what is written: the work of a store without its memory. */
const feedback: ParameterStore = {
  async read(start, into) {
    for (let i = 0; i < into.length; i += CHUNK) {
      const at = (start + i) % (pool.length - CHUNK);
      into.set(pool.subarray(at, at + Math.min(CHUNK, into.length - i)), i);
    }
  },
  async write() {},
};

/** Seconds of this process's CPU since the call. */
function cpuClock(): () => number {
  const began = process.cpuUsage();
  return () => {
    const { user, system } = process.cpuUsage(began);
    return seconds((user + system) / 1000);
  };
}

function seconds(ms: number): number {
  return Math.round(ms) / 1000;
}
