import { CLIP_STEPS } from './limits.ts';

/**
 * Values as whole steps of clip / 2^20. Their Euclidean norm, in steps, is at most 2^20 whatever the values are: what is
 * longer is scaled down, and fractions are cut off towards zero, which shortens. What that leaves out belongs into the
 * error feedback. Throws RangeError for values that are not finite.
 */
export function quantise(values: Float32Array, clip: number): Int32Array {
  let squares = 0;
  for (const value of values) squares += value * value;
  const norm = Math.sqrt(squares);
  if (!Number.isFinite(norm)) throw new RangeError('a value is not a finite number');
  const steps = CLIP_STEPS / Math.max(norm, clip);
  return Int32Array.from(values, (value) => Math.trunc(value * steps));
}

/** The mean of `members` updates whose sum, in steps, is `sum`. */
export function dequantise(sum: Int32Array, clip: number, members: number): Float32Array {
  const step = clip / CLIP_STEPS / members;
  return Float32Array.from(sum, (steps) => steps * step);
}
