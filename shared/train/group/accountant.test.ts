import { expect, it } from 'vitest';
import { epsilonOf } from './accountant.ts';

/** Φ, by the series of Abramowitz & Stegun 26.2.11. */
function normal(x: number): number {
  if (x < 0) return 1 - normal(-x);
  let sum = x;
  let term = x;
  for (let n = 1; n < 200; n++) {
    term *= (x * x) / (2 * n + 1);
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** The exact δ of one Gaussian mechanism (Balle & Wang 2018, Thm. 8); T rounds are one with multiplier z / √T. */
function exactDelta(epsilon: number, multiplier: number): number {
  const half = 1 / (2 * multiplier);
  return normal(half - epsilon * multiplier) - Math.exp(epsilon) * normal(-half - epsilon * multiplier);
}

it.each([
  { multiplier: 1, sums: 1, delta: 1e-5 },
  { multiplier: 4, sums: 16, delta: 1e-5 },
  { multiplier: 8, sums: 20, delta: 1e-6 },
  { multiplier: 2, sums: 1, delta: 1e-3 },
])('is at least the exact ε, and no more than a sixth above it: %o', ({ multiplier, sums, delta }) => {
  const epsilon = epsilonOf({ multiplier, sums, delta });
  const one = multiplier / Math.sqrt(sums);
  expect(exactDelta(epsilon, one)).toBeLessThanOrEqual(delta);
  expect(exactDelta(epsilon / (1 + 1 / 6), one)).toBeGreaterThan(delta);
});

it('grows with sums, and falls with noise and with what may go wrong', () => {
  const one = epsilonOf({ multiplier: 1, sums: 10, delta: 1e-6 });
  expect(epsilonOf({ multiplier: 1, sums: 20, delta: 1e-6 })).toBeGreaterThan(one);
  expect(epsilonOf({ multiplier: 2, sums: 10, delta: 1e-6 })).toBeLessThan(one);
  expect(epsilonOf({ multiplier: 1, sums: 10, delta: 1e-5 })).toBeLessThan(one);
});
