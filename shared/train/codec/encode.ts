import type { Block, BlockCodec } from './block.ts';
import { codecOf, encodeHeader, type UpdateFormat, type UpdateHeader } from './format.ts';
import { FEEDBACK_DECAY } from './limits.ts';
import { type Chunks, FloatReader } from './rechunk.ts';
import { largestSlab, type ParameterSpace, type Slab, slabsOf } from './space.ts';
import type { ParameterStore } from './store.ts';

/**
 * The bytes of an update, a chunk for each slab. `deltas` are the values of the whole space in order, in chunks of any
 * lengths. With `feedback` (e, at first zeros) what is encoded is u = 0.95·e + Δ, computed in f64 and rounded to f32
 * once, and e becomes u less what was sent, in f32: nothing is lost, only late. The same input gives the same bytes.
 * Throws UPDATE_INVALID for values that are not finite (the feedback is then spoilt up to there), RangeError where the
 * values do not fill the space.
 */
export async function* encodeUpdate(
  header: UpdateHeader,
  space: ParameterSpace,
  format: UpdateFormat,
  deltas: Chunks<Float32Array>,
  feedback?: ParameterStore,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, undefined> {
  const codec = codecOf(format);
  const largest = largestSlab(space);
  const delta = new Float32Array(largest.values);
  const u = feedback === undefined ? delta : new Float32Array(largest.values);
  const bits = new Uint32Array(u.buffer);
  const out = new Uint8Array(largest.blocks * codec.maxBlockBytes);
  const source = new FloatReader(deltas);
  try {
    yield encodeHeader(header, space, format).slice();
    for (const slab of slabsOf(space)) {
      const count = slab.rows * slab.columns;
      await source.fill(delta.subarray(0, count));
      await feedback?.read(slab.start, u.subarray(0, count));
      if (feedback !== undefined) combine(u, delta, count);
      const length = encodeSlab(slab, codec, u, bits, out);
      await feedback?.write(slab.start, u.subarray(0, count));
      yield out.slice(0, length);
    }
    await source.end();
  } finally {
    await source.close();
  }
}

/** Leaves in u what was not sent; returns the bytes' length. */
function encodeSlab(slab: Slab, codec: BlockCodec, u: Float32Array, bits: Uint32Array, out: Uint8Array): number {
  const { rows, columns, blockColumns } = slab;
  const block: Block = { values: u, bits, start: 0, rows, width: 0, stride: columns };
  let at = 0;
  for (; block.start < columns; block.start += blockColumns) {
    block.width = Math.min(blockColumns, columns - block.start);
    at = codec.encode(block, out, at);
  }
  return at;
}

/** e becomes 0.95·e + Δ. */
function combine(e: Float32Array, delta: Float32Array, count: number): void {
  for (let i = 0; i < count; i++) e[i] = FEEDBACK_DECAY * e[i]! + delta[i]!;
}
