/**
 * Encodes and decodes updates of ailo-840m's true shapes, filled from a pool of random values, and prints bytes and
 * times. Run: npx tsx tests/bench/codec.ts
 */
import { aggregate } from '../../shared/train/aggregate/aggregate.ts';
import type { Contribution } from '../../shared/train/aggregate/cohort.ts';
import { measureUpdate } from '../../shared/train/aggregate/measure.ts';
import { confirmedMean } from '../../shared/train/aggregate/rules.ts';
import { UpdateReader } from '../../shared/train/codec/decode.ts';
import { encodeUpdate } from '../../shared/train/codec/encode.ts';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { UPLINK_KEEP } from '../../shared/train/codec/limits.ts';
import { type ParameterSpace, slabsOf, spaceValues } from '../../shared/train/codec/space.ts';
import type { ParameterStore } from '../../shared/train/codec/store.ts';
import { AILO_840M } from './ailo-840m.ts';

const header = { campaign: 'bench', round: 1, unit: new Uint8Array(16), start: new Uint8Array(32) };
const pool = gaussians(2 ** 22, 1e-3);
const CHUNK = 2 ** 18;

function* deltas(space: ParameterSpace, seed = 0): Generator<Float32Array> {
  let at = 7919 * seed;
  for (let left = spaceValues(space); left > 0; left -= CHUNK) {
    at = (at + 1_000_003) % (pool.length - CHUNK);
    yield pool.subarray(at, at + Math.min(left, CHUNK));
  }
}

/** Reads from the pool and forgets what is written: the work of a store without its 3.3 GB. */
const feedback: ParameterStore = {
  async read(start, into) {
    const at = start % (pool.length - 2 ** 21);
    for (let i = 0; i < into.length; i += 2 ** 20)
      into.set(pool.subarray(at, at + Math.min(2 ** 20, into.length - i)), i);
  },
  async write() {},
};

async function measure(name: string, space: ParameterSpace, format: UpdateFormat): Promise<void> {
  const values = spaceValues(space);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const keep = format.codec === 'sparse';
  const began = performance.now();
  const cpu = process.cpuUsage();
  for await (const chunk of encodeUpdate(header, space, format, deltas(space), feedback)) {
    bytes += chunk.length;
    if (keep) chunks.push(chunk);
  }
  const encodeS = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const rate = (4 * values) / encodeS / 1e9;
  console.log(
    `${name}: ${values} values, ${bytes} bytes (${((8 * bytes) / values).toFixed(4)} bits a value); ` +
      `encoded in ${encodeS.toFixed(1)} s (${rate.toFixed(2)} GB/s of f32), ${((user + system) / 1e6).toFixed(1)} s of CPU`,
  );
  if (!keep) return;
  const start = performance.now();
  const reader = await UpdateReader.open(chunks, space, format);
  let entries = 0;
  for (const slab of slabsOf(space)) entries += (await reader.slab(slab)).count;
  await reader.end();
  console.log(`  ${entries} values sent, decoded in ${((performance.now() - start) / 1000).toFixed(2)} s`);
}

/** Joins eight updates of one layer, each from other values, and prints what that takes for the whole model. */
async function measureAggregation(space: ParameterSpace): Promise<void> {
  const format: UpdateFormat = { codec: 'sparse', keep: UPLINK_KEEP };
  const cohort: Contribution[] = [];
  for (let k = 1; k <= 8; k++) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeUpdate(header, space, format, deltas(space, k))) chunks.push(chunk);
    const { norm } = await measureUpdate(chunks, space, format);
    cohort.push({ unit: new Uint8Array(16).fill(k), open: () => chunks, norm, sequences: 1, staleness: 0 });
  }
  const cpu = process.cpuUsage();
  for await (const _ of aggregate(cohort, space, format, confirmedMean));
  const { user, system } = process.cpuUsage(cpu);
  const scale = spaceValues(AILO_840M) / spaceValues(space);
  console.log(`eight updates joined, for all of the model: ${(((user + system) / 1e6) * scale).toFixed(1)} s of CPU`);
}

function gaussians(count: number, deviation: number): Float32Array {
  const values = new Float32Array(count);
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  for (let i = 0; i < count; i++)
    values[i] = deviation * Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next());
  return values;
}

const layer = AILO_840M.slice(2, 14);
await measure('warm-up', layer, { codec: 'sparse', keep: UPLINK_KEEP });
await measureAggregation(layer);
await measure('sparse, 64 of a block', AILO_840M, { codec: 'sparse', keep: UPLINK_KEEP });
await measure('sparse, 256 of a block', AILO_840M, { codec: 'sparse', keep: 256 });
