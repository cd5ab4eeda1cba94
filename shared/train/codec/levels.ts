import { floatToHalf, halfToFloat } from '../../tensor/half.ts';

const LARGEST_HALF = 65_504;

/** Two magnitudes as binary16 patterns and as what they decode to. A magnitude above `middle` takes the higher. */
export interface Levels {
  readonly patterns: Uint16Array;
  readonly values: Float32Array;
  middle: number;
}

export function newLevels(): Levels {
  return { patterns: new Uint16Array(2), values: new Float32Array(2), middle: 0 };
}

/**
 * The two levels with the least squared error for ascending `magnitudes` (at least one): 2-means, which in one
 * dimension is exact, because the best groups are a split of the sorted values. With sums A of the lower s values and
 * S of all n, a split loses Σm² − A²/s − (S−A)²/(n−s), so the largest A²/s + (S−A)²/(n−s) wins, the first of equals.
 * The levels are the groups' means, rounded to f32, then to binary16 (at most its largest). Sums are f64, in order.
 */
export function fitLevels(magnitudes: Float32Array, levels: Levels): void {
  const n = magnitudes.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += magnitudes[i]!;
  let below = 0;
  let lower = total / n;
  let upper = lower;
  let best = -1;
  for (let s = 1; s < n; s++) {
    below += magnitudes[s - 1]!;
    const above = total - below;
    const gain = (below * below) / s + (above * above) / (n - s);
    if (gain > best) {
      best = gain;
      lower = below / s;
      upper = above / (n - s);
    }
  }
  levels.values[0] = Math.min(lower, LARGEST_HALF);
  levels.values[1] = Math.min(upper, LARGEST_HALF);
  floatToHalf(levels.values, levels.patterns);
  setLevels(levels);
}

/** From the patterns to the rest. */
export function setLevels(levels: Levels): void {
  halfToFloat(levels.patterns, levels.values);
  levels.middle = (levels.values[0]! + levels.values[1]!) / 2;
}
