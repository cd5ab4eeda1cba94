import { slabOffset, UpdateReader } from '../codec/decode.ts';
import type { UpdateFormat, UpdateHeader } from '../codec/format.ts';
import type { Chunks } from '../codec/rechunk.ts';
import { largestSlab, type ParameterSpace, slabsOf } from '../codec/space.ts';
import type { ParameterStore } from '../codec/store.ts';

/**
 * Subtracts an update, times `rate`, from weights (updates are start less end), in f32, every coordinate at most once: whoever applies
 * the same updates to the same weights has the same bits. Returns the update's header. Throws UPDATE_INVALID, when the
 * weights are changed up to there already: let `weights` be a copy, or take only bytes whose hash was checked.
 */
export async function applyUpdate(
  chunks: Chunks<Uint8Array>,
  space: ParameterSpace,
  format: UpdateFormat,
  weights: ParameterStore,
  rate = 1,
): Promise<UpdateHeader> {
  const reader = await UpdateReader.open(chunks, space, format);
  const buffer = new Float32Array(largestSlab(space).values);
  try {
    for (const slab of slabsOf(space)) {
      const entries = await reader.slab(slab);
      if (entries.count === 0) continue;
      const values = buffer.subarray(0, slab.rows * slab.columns);
      await weights.read(slab.start, values);
      for (let i = 0; i < entries.count; i++) {
        values[slabOffset(slab, entries.positions[i]!)]! -= rate * entries.values[i]!;
      }
      await weights.write(slab.start, values);
    }
    await reader.end();
  } finally {
    await reader.close();
  }
  return reader.header;
}
