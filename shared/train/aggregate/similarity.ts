import type { UpdateFormat } from '../codec/format.ts';
import { blocksOf, type ParameterSpace } from '../codec/space.ts';
import { type Openable, slabsOfAll } from './cohort.ts';
import { SenderMerge } from './merge.ts';

/**
 * How much of update i others sent: the share of its squared norm on coordinates where they have the same sign, less
 * that where they have the opposite one, −1 to 1. 1 for a copy or a part of one, whatever became of the magnitudes;
 * near 0 for what was learned from different texts.
 */
export interface Shares {
  /** [K, K], row-major: of update i, in update j. */
  among: Float64Array;
  /** [K]: of update i, in all that was published, taken together. */
  published: Float64Array;
}

/** One pass, one slab of each in memory. `format` is that of those that name none. Throws UPDATE_INVALID. */
export async function sharesOf(
  updates: readonly Openable[],
  published: readonly Openable[],
  space: ParameterSpace,
  format: UpdateFormat,
): Promise<Shares> {
  const size = updates.length;
  const sums = { among: new Float64Array(size * size), published: new Float64Array(size) };
  const merge = new SenderMerge(size + published.length);
  for await (const { slab, entries } of slabsOfAll([...updates, ...published], space, format)) {
    merge.start(entries);
    while (merge.next(blocksOf(slab) * slab.blockColumns * slab.rows)) count(merge, size, sums);
  }
  const squares = Float64Array.from(updates, (_, i) => sums.among[i * size + i]!);
  const share = (sum: number, i: number) => (squares[i] === 0 ? 0 : sum / squares[i]!);
  return {
    among: sums.among.map((sum, at) => share(sum, Math.floor(at / size))),
    published: sums.published.map(share),
  };
}

/** The senders of one coordinate; those from `size` on were published. */
function count({ who, values, count }: SenderMerge, size: number, sums: Shares): void {
  let told = 0;
  for (let j = count - 1; j >= 0 && who[j]! >= size; j--) told += Math.sign(values[j]!);
  for (let i = 0; i < count && who[i]! < size; i++) {
    const square = values[i]! ** 2;
    const sign = Math.sign(values[i]!);
    sums.published[who[i]!]! += square * sign * Math.sign(told);
    for (let j = 0; j < count && who[j]! < size; j++) {
      sums.among[who[i]! * size + who[j]!]! += square * sign * Math.sign(values[j]!);
    }
  }
}
