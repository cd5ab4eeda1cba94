import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../sampler/random.ts';
import { deviationOf, discreteGaussian, secureRandom } from './noise.ts';

describe('discreteGaussian', () => {
  it.each([0.7, 3, 1000])('has the shares that its formula says, at a deviation of %d', (deviation) => {
    const random = seededRandom(3);
    const samples = Array.from({ length: 40_000 }, () => discreteGaussian(deviation, random));
    expect(samples.every(Number.isInteger)).toBe(true);
    const mean = samples.reduce((sum, x) => sum + x, 0) / samples.length;
    const variance = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    // Five deviations of an estimate from so many samples.
    expect(Math.abs(mean)).toBeLessThan((5 * deviation) / 200);
    const weights = Array.from({ length: 401 }, (_, i) => Math.exp(-((i - 200) ** 2) / (2 * deviation ** 2)));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const expected =
      deviation > 20 ? deviation ** 2 : weights.reduce((sum, weight, i) => sum + weight * (i - 200) ** 2, 0) / total;
    expect(Math.abs(variance / expected - 1)).toBeLessThan((5 * Math.SQRT2) / 200);
  });
});

it('members’ deviations add up to the multiplier where the threshold’s number take part', () => {
  const one = deviationOf({ multiplier: 2, threshold: 6 });
  expect(Math.sqrt(6 * one * one)).toBeCloseTo(2 * 2 ** 20, 3);
});

it('gives other words each time', () => {
  const random = secureRandom();
  expect(new Set(Array.from({ length: 20_000 }, random)).size).toBeGreaterThan(19_900);
});
