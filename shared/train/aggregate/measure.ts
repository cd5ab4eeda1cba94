import { UpdateReader } from '../codec/decode.ts';
import type { UpdateFormat, UpdateHeader } from '../codec/format.ts';
import type { Chunks } from '../codec/rechunk.ts';
import { type ParameterSpace, slabsOf } from '../codec/space.ts';

/**
 * Reads an update to its end, so that whatever passes can be aggregated: its header, how many values it sends and their
 * Euclidean norm (f64, summed in the order of the bytes). Throws UPDATE_INVALID with the reason.
 */
export async function measureUpdate(
  chunks: Chunks<Uint8Array>,
  space: ParameterSpace,
  format: UpdateFormat,
): Promise<{ header: UpdateHeader; values: number; norm: number }> {
  const reader = await UpdateReader.open(chunks, space, format);
  let values = 0;
  let squares = 0;
  try {
    for (const slab of slabsOf(space)) {
      const entries = await reader.slab(slab);
      values += entries.count;
      for (let i = 0; i < entries.count; i++) squares += entries.values[i]! * entries.values[i]!;
    }
    await reader.end();
  } finally {
    await reader.close();
  }
  return { header: reader.header, values, norm: Math.sqrt(squares) };
}
