/** Added to the norm, as PyTorch does, so that a gradient of nothing divides nothing by nothing. */
const EPSILON = 1e-6;

/** What every gradient is multiplied by, so that their global norm is at most `maxNorm` (Pascanu et al. 2013). */
export function clipScale(norm: number, maxNorm: number): number {
  return Math.min(1, maxNorm / (norm + EPSILON));
}
