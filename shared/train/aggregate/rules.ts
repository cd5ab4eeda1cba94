/**
 * How the senders' values of one coordinate become one value. Values are clipped to the cohort's median norm already;
 * weights have the mean 1 over all `size` contributions, whose sum is therefore `size`.
 */

import { MAX_CONTRIBUTIONS } from '../codec/limits.ts';

/** Only the first `count` of `values` and `weights` are valid. */
export type CoordinateRule = (values: Float64Array, weights: Float64Array, count: number, size: number) => number;

export interface Rule {
  combine: CoordinateRule;
  /** No magnitude counts for more than the median, over all contributions, of the largest in its block. */
  capped: boolean;
  /** Weights are multiplied by `trustOf` the contributions' agreement: needs one more pass. */
  trusting: boolean;
}

/** Scratch memory of rules that sort. */
const sorted = new Float64Array(MAX_CONTRIBUTIONS);

/** FedAvg: who sent nothing sent zero. */
export const meanOfAll: Rule = plain((values, weights, count, size) => weightedSum(values, weights, count) / size);

/** One who is alone on a coordinate decides it. */
export const meanOfSenders: Rule = plain(
  (values, weights, count) => weightedSum(values, weights, count) / sum(weights, count),
);

/** Over all, unweighted: of a coordinate that fewer than half send, nothing remains. */
export const medianOfAll: Rule = plain((values, _weights, count, size) => {
  sortWithZeros(values, count, size);
  return (sorted[(size - 1) >> 1]! + sorted[size >> 1]!) / 2;
});

/** The mean of all, unweighted, without the quarter (rounded down) at either end. */
export const trimmedMeanOfAll: Rule = plain((values, _weights, count, size) => {
  const cut = Math.floor(size / 4);
  sortWithZeros(values, count, size);
  let total = 0;
  for (let i = cut; i < size - cut; i++) total += sorted[i]!;
  return total / (size - 2 * cut);
});

/** Senders of zero that are added to every coordinate: a quarter of one. */
const PRIOR = 1 / 4;
const GAIN = 9 / 8;

/**
 * Our rule: GAIN · Σ w·v / (PRIOR + Σ w) over the senders, v capped, w times trust. A coordinate that one sends moves by
 * 9/10 of what is sent, that two send by their mean, eight by 12/11 of it, never more than GAIN: what one finds alone
 * counts for a little less than it says, what several find for a little more. docs/training-averaging.md has the
 * experiments.
 *
 * What liars can do. Let all weights be 1 and C the block's cap, the median over the contributions of the largest
 * magnitude. Fewer than half of all lie, so C is at most an honest contribution's largest, whatever the liars send.
 * Of a coordinate that h honest ones send, with the sum S (|S| ≤ hC), and f liars with the sum A (|A| ≤ fC), the result
 * differs from that without the liars by
 *
 *     GAIN · |(S+A)/(P+h+f) − S/(P+h)| = GAIN · |A(P+h) − fS| / ((P+h)(P+h+f)) ≤ GAIN · f·C·(P+2h) / ((P+h)(P+h+f))
 *
 * reached where both push with all they have, against each other (P is PRIOR). For f = 1 that is at most 9C/10, for any
 * h: 5/4·(P+2h) ≤ (P+h)(P+h+1), which is h ≤ h². For f = 2 it is at most 81C/65, at h = 1, and C where the two are
 * alone. So a lone liar is heard no louder than a lone honest one. In a block of which `keep` values are sent, two liars
 * alone move 2·keep coordinates by 9C/10 each, or keep of them by C: in Euclidean norm at most 9/10·√2·C·√keep. Without
 * the cap it were all of their norms in one coordinate each. Trust (agreement.ts) only lowers the w of who contradicts:
 * it helps, but nothing of the above rests on it.
 */
export const confirmedMean: Rule = {
  combine: (values, weights, count) => (GAIN * weightedSum(values, weights, count)) / (PRIOR + sum(weights, count)),
  capped: true,
  trusting: true,
};

function plain(combine: CoordinateRule): Rule {
  return { combine, capped: false, trusting: false };
}

function weightedSum(values: Float64Array, weights: Float64Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += weights[i]! * values[i]!;
  return total;
}

function sum(values: Float64Array, count: number): number {
  let total = 0;
  for (let i = 0; i < count; i++) total += values[i]!;
  return total;
}

/** Into `sorted`. By insertion: the values are few. */
function sortWithZeros(values: Float64Array, count: number, size: number): void {
  for (let i = 0; i < size; i++) {
    const value = i < count ? values[i]! : 0;
    let at = i;
    for (; at > 0 && sorted[at - 1]! > value; at--) sorted[at] = sorted[at - 1]!;
    sorted[at] = value;
  }
}
