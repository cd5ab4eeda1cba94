/** Added to the norm, as PyTorch does, so that a gradient of nothing divides nothing by nothing. */
const EPSILON = 1e-6;

/** What every gradient is multiplied by, so that their global norm is at most `maxNorm` (Pascanu et al. 2013). */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + EPSILON));
}

/**
 * `sum` and the squares of the values, in f64, one after the other: the same whatever pieces a gradient comes in, and on
 * any engine.
 */
export function addSquares(values: Float32Array, sum: number): number {
  let total = sum;
  for (let index = 0; index < values.length; index++) total += values[index]! * values[index]!;
  return total;
}
