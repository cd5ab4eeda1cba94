import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fitLevels, newLevels } from './levels.ts';

const magnitude = fc.float({ min: Math.fround(2 ** -24), max: Math.fround(60_000), noNaN: true });

function loss(magnitudes: Float32Array, lower: number, upper: number): number {
  return magnitudes.reduce((sum, m) => sum + Math.min((m - lower) ** 2, (m - upper) ** 2), 0);
}

test('no split of the values has a smaller squared error, but for the rounding to binary16', () => {
  const levels = newLevels();
  fc.assert(
    fc.property(fc.array(magnitude, { minLength: 1, maxLength: 40 }), (list) => {
      const sorted = Float32Array.from(list).sort();
      fitLevels(sorted, levels);
      const [lower, upper] = levels.values as unknown as [number, number];
      expect(lower).toBeGreaterThan(0);
      expect(upper).toBeGreaterThanOrEqual(lower);
      const mean = (values: Float32Array) => values.reduce((sum, m) => sum + m, 0) / values.length;
      let best = loss(sorted, mean(sorted), mean(sorted));
      for (let s = 1; s < sorted.length; s++) {
        best = Math.min(best, loss(sorted, mean(sorted.subarray(0, s)), mean(sorted.subarray(s))));
      }
      const rounding = sorted.length * (2 ** -11 * upper + 2 ** -25) ** 2;
      expect(loss(sorted, lower, upper)).toBeLessThanOrEqual(best * 1.001 + 2 * Math.sqrt(best * rounding) + rounding);
    }),
    { numRuns: 500 },
  );
});

test('what is larger than binary16 can be is sent as its largest', () => {
  const levels = newLevels();
  fitLevels(Float32Array.of(1, 1e9), levels);
  expect([...levels.values]).toEqual([1, 65_504]);
});
