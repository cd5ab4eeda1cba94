import type { UpdateFormat } from '../codec/format.ts';
import { blocksOf, type ParameterSpace } from '../codec/space.ts';
import { type Contribution, inOrder, slabsOfAll } from './cohort.ts';
import { SenderMerge } from './merge.ts';

/**
 * Cosines of all pairs of updates, row-major [K, K] in the order of their units: 1 for copies, near 0 for what was
 * learned from different texts. One pass, one slab of each in memory. Throws UPDATE_INVALID.
 */
export async function similarities(
  contributions: readonly Contribution[],
  space: ParameterSpace,
  format: UpdateFormat,
): Promise<Float64Array> {
  const cohort = inOrder(contributions);
  const size = cohort.length;
  const products = new Float64Array(size * size);
  const merge = new SenderMerge(size);
  for await (const { slab, entries } of slabsOfAll(cohort, space, format)) {
    merge.start(entries);
    while (merge.next(blocksOf(slab) * slab.blockColumns * slab.rows)) {
      const { who, values, count } = merge;
      for (let i = 0; i < count; i++) {
        for (let j = 0; j < count; j++) products[who[i]! * size + who[j]!]! += values[i]! * values[j]!;
      }
    }
  }
  const norms = cohort.map((_, k) => Math.sqrt(products[k * size + k]!));
  return products.map((product, at) => {
    const scale = norms[Math.floor(at / size)]! * norms[at % size]!;
    return scale === 0 ? 0 : product / scale;
  });
}
