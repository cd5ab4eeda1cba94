import type { UpdateFormat } from '../codec/format.ts';
import { blocksOf, type ParameterSpace } from '../codec/space.ts';
import { type Contribution, inOrder, medianOf, slabsOfAll } from './cohort.ts';
import { SenderMerge } from './merge.ts';

/**
 * Of each contribution (in the order of their units), how often its signs are those of the others: over all pairs of
 * it and another on coordinates that both sent, the share of equal signs less that of different ones, −1 to 1; 0 where
 * there is no such pair. Counts only, so that magnitudes cannot buy it. Throws UPDATE_INVALID.
 */
export async function agreementOf(
  contributions: readonly Contribution[],
  space: ParameterSpace,
  format: UpdateFormat,
): Promise<Float64Array> {
  const cohort = inOrder(contributions);
  const agreed = new Float64Array(cohort.length);
  const pairs = new Float64Array(cohort.length);
  const merge = new SenderMerge(cohort.length);
  for await (const { slab, entries } of slabsOfAll(cohort, space, format)) {
    merge.start(entries);
    while (merge.next(blocksOf(slab) * slab.blockColumns * slab.rows)) count(merge, agreed, pairs);
  }
  return agreed.map((sum, k) => (pairs[k] === 0 ? 0 : sum / pairs[k]!));
}

/**
 * From agreement to a factor between 0 and 1: in full for whoever agrees at least half as often as the median, nothing
 * for whoever contradicts. Where the median agrees with nobody there is nothing to tell by, and all have 1.
 */
export function trustOf(agreement: Float64Array): Float64Array {
  const median = medianOf(agreement);
  if (median <= 0) return new Float64Array(agreement.length).fill(1);
  return agreement.map((a) => Math.min(1, Math.max(0, (2 * a) / median)));
}

function count({ who, values, count }: SenderMerge, agreed: Float64Array, pairs: Float64Array): void {
  if (count < 2) return;
  let signs = 0;
  for (let i = 0; i < count; i++) signs += Math.sign(values[i]!);
  for (let i = 0; i < count; i++) {
    const sign = Math.sign(values[i]!);
    agreed[who[i]!]! += sign * (signs - sign);
    pairs[who[i]!]! += count - 1;
  }
}
