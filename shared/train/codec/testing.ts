/** What tests of updates share. */
import { slabOffset, UpdateReader } from './decode.ts';
import { encodeUpdate } from './encode.ts';
import type { UpdateFormat, UpdateHeader } from './format.ts';
import { type ParameterSpace, slabsOf, spaceValues } from './space.ts';
import { memoryStore } from './store.ts';

/** Whole and cut blocks, a vector over two blocks, one value, three dimensions. */
export const SPACE: ParameterSpace = [
  { name: 'wte', shape: [70, 130] },
  { name: 'bias', shape: [4100] },
  { name: 'scale', shape: [] },
  { name: 'conv', shape: [3, 2, 5] },
  { name: 'square', shape: [64, 64] },
];

export const SPARSE: UpdateFormat = { codec: 'sparse', keep: 64 };
export const FORMATS: readonly UpdateFormat[] = [
  SPARSE,
  { codec: 'sparse', keep: 1 },
  { codec: 'sparse', keep: 4096 },
  { codec: 'int8' },
  { codec: 'none' },
];

export function headerOf(unit = 7, round = 3): UpdateHeader {
  return { campaign: 'test-1', round, unit: new Uint8Array(16).fill(unit), start: new Uint8Array(32).fill(9) };
}

/** Roughly normal: the sum of four uniform draws of a linear congruential generator. */
export function randomValues(count: number, seed: number, deviation = 1e-3): Float32Array<ArrayBuffer> {
  const values = new Float32Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    let sum = -2;
    for (let draw = 0; draw < 4; draw++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      sum += (state >>> 8) / 2 ** 24;
    }
    values[i] = deviation * Math.sqrt(3) * sum;
  }
  return values;
}

export async function encodeAll(
  deltas: Float32Array,
  options: { space?: ParameterSpace; format?: UpdateFormat; header?: UpdateHeader; feedback?: Float32Array } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { space = SPACE, format = SPARSE, header = headerOf(), feedback } = options;
  const chunks: Uint8Array[] = [];
  const store = feedback && memoryStore(feedback);
  for await (const chunk of encodeUpdate(header, space, format, [deltas], store)) chunks.push(chunk);
  return joined(chunks);
}

/** The values of the whole space, zero where nothing was sent; checks what every reader may rely on. */
export async function decodeAll(
  chunks: Iterable<Uint8Array>,
  space: ParameterSpace = SPACE,
  format: UpdateFormat = SPARSE,
): Promise<Float32Array> {
  const values = new Float32Array(spaceValues(space));
  const reader = await UpdateReader.open(chunks, space, format);
  for (const slab of slabsOf(space)) {
    const entries = await reader.slab(slab);
    for (let i = 0; i < entries.count; i++) {
      const position = entries.positions[i]!;
      if (position >= slab.rows * slab.columns) throw new Error(`position ${position} is outside its slab`);
      if (i > 0 && position <= entries.positions[i - 1]!) throw new Error('positions do not ascend');
      if (!Number.isFinite(entries.values[i]!)) throw new Error('a value is not finite');
      values[slab.start + slabOffset(slab, position)] = entries.values[i]!;
    }
  }
  await reader.end();
  return values;
}

export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Pieces of the given lengths, again and again. */
export function* cut<T extends Uint8Array | Float32Array>(whole: T, ...lengths: number[]): Generator<T> {
  for (let at = 0, i = 0; at < whole.length; at += lengths[i++ % lengths.length]!) {
    yield whole.subarray(at, at + lengths[i % lengths.length]!) as T;
  }
}
