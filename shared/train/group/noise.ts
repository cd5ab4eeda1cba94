/**
 * Noise for differential privacy: the discrete Gaussian, which a sum of whole steps is a sum of still. Canonne, Kamath &
 * Steinke, “The Discrete Gaussian for Differential Privacy” (2020), algorithms 2 and 3; where they decide with exact
 * rational probabilities, we do with f64, right to 2^-53.
 */
import { randomBytes } from '@noble/hashes/utils.js';
import { CLIP_STEPS } from './limits.ts';

/** Uniform unsigned 32-bit integers that nobody can predict. */
export type SecureRandom = () => number;

/** Bytes that are fetched at once; `getRandomValues` gives no more. */
const POOL_BYTES = 65_536;

export function secureRandom(): SecureRandom {
  let pool = new Uint32Array(0);
  let at = 0;
  return () => {
    if (at === pool.length) {
      pool = new Uint32Array(randomBytes(POOL_BYTES).buffer);
      at = 0;
    }
    return pool[at++]!;
  };
}

/**
 * The deviation, in steps, of what each member adds, so that the noise of `threshold` members together is `multiplier`
 * times the clip: so many are in every sum.
 */
export function deviationOf({ multiplier, threshold }: { multiplier: number; threshold: number }): number {
  return (multiplier * CLIP_STEPS) / Math.sqrt(threshold);
}

/** One sample with variance `deviation`² (to 1 part in 10^6 from a deviation of 1 on). */
export function discreteGaussian(deviation: number, random: SecureRandom): number {
  const scale = Math.floor(deviation) + 1;
  const variance = deviation * deviation;
  for (;;) {
    const candidate = discreteLaplace(scale, random);
    const excess = Math.abs(candidate) - variance / scale;
    if (happens((excess * excess) / (2 * variance), random)) return candidate;
  }
}

/** P(x) ∝ exp(−|x| / scale). */
function discreteLaplace(scale: number, random: SecureRandom): number {
  for (;;) {
    const low = below(scale, random);
    if (!happens(low / scale, random)) continue;
    let high = 0;
    while (happens(1, random)) high++;
    const magnitude = low + scale * high;
    const negative = random() % 2 === 1;
    if (!(negative && magnitude === 0)) return negative ? -magnitude : magnitude;
  }
}

/** With probability exp(−gamma). */
function happens(gamma: number, random: SecureRandom): boolean {
  const uniform = ((random() >>> 5) * 2 ** 26 + (random() >>> 6)) / 2 ** 53;
  return uniform < Math.exp(-gamma);
}

/** Uniform whole number below `bound` (at most 2^32). */
function below(bound: number, random: SecureRandom): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const value = random();
    if (value < limit) return value % bound;
  }
}
