/**
 * How the senders' values of one coordinate become one value. Values are clipped to the cohort's median norm already;
 * weights have the mean 1 over all `size` contributions, whose sum is therefore `size`.
 */

/** Only the first `count` of `values` and `weights` are valid. */
export type CoordinateRule = (values: Float64Array, weights: Float64Array, count: number, size: number) => number;

export interface Rule {
  combine: CoordinateRule;
  /** No magnitude counts for more than the median, over all contributions, of the largest in its block. */
  capped: boolean;
  /** Weights are multiplied by `trustOf` the contributions' agreement: needs one more pass. */
  trusting: boolean;
}

/** FedAvg: who sent nothing sent zero. */
export const meanOfAll: Rule = plain((values, weights, count, size) => weightedSum(values, weights, count) / size);

/** One who is alone on a coordinate decides it. */
export const meanOfSenders: Rule = plain(
  (values, weights, count) => weightedSum(values, weights, count) / sum(weights, count),
);

/** Over all, unweighted: of a coordinate that fewer than half send, nothing remains. */
export const medianOfAll: Rule = plain((values, _weights, count, size) => {
  const sorted = withZeros(values, count, size);
  return (sorted[(size - 1) >> 1]! + sorted[size >> 1]!) / 2;
});

/** The mean of all, unweighted, without the quarter (rounded down) at either end. */
export const trimmedMeanOfAll: Rule = plain((values, _weights, count, size) => {
  const cut = Math.floor(size / 4);
  const rest = withZeros(values, count, size).subarray(cut, size - cut);
  return sum(rest, rest.length) / rest.length;
});

/** Weight of the senders of zero that are added to every coordinate. */
const PRIOR = 3;
const GAIN = 2;

/**
 * Our rule: GAIN · Σ w·v / (PRIOR + Σ w) over the senders, v capped, w times trust. A coordinate that one sends moves by
 * half of what is sent, two by 4/5 of their mean, three by all of it, eight by 16/11: what several find counts in full
 * or more, as in the mean over senders, what one finds counts for half.
 *
 * What liars can do. Let all weights be 1 and C the block's cap, the median over the contributions of the largest
 * magnitude. Fewer than half of all lie, so C is at most an honest contribution's largest, whatever the liars send.
 * Of a coordinate that h honest ones send, with the sum S (|S| ≤ hC), and f liars with the sum A (|A| ≤ fC), the result
 * differs from that without the liars by
 *
 *     GAIN · |(S+A)/(P+h+f) − S/(P+h)| = GAIN · |A(P+h) − fS| / ((P+h)(P+h+f)) ≤ GAIN · f·C·(P+2h) / ((P+h)(P+h+f))
 *
 * reached where both push with all they have, against each other (P is PRIOR). For f = 1 that is at most C/2, for any
 * h; for f = 2 at most 5C/6, at h = 1, and 4C/5 where they are alone. A lone liar is never heard louder than a lone
 * honest one, and in a whole block of `keep` values two liars move at most 2·keep coordinates by C/2 each, or keep by
 * 4C/5 together: in Euclidean norm at most C·√(keep/2) or 4C·√keep/5, less than two honest contributions of the same
 * size may. Trust (agreement.ts) only lowers w of who contradicts: it helps, but nothing of the above rests on it.
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

function withZeros(values: Float64Array, count: number, size: number): Float64Array {
  const all = new Float64Array(size);
  all.set(values.subarray(0, count));
  return all.sort();
}
