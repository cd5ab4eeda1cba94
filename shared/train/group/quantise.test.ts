import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CLIP_STEPS } from './limits.ts';
import { dequantise, quantise } from './quantise.ts';

const norm = (values: Iterable<number>) => Math.sqrt([...values].reduce((sum, value) => sum + value * value, 0));

it('never exceeds the clip, whatever the values are', () => {
  const values = fc.float32Array({ minLength: 1, maxLength: 50, noNaN: true, noDefaultInfinity: true });
  fc.assert(
    fc.property(values, fc.double({ min: 1e-6, max: 1e3, noNaN: true }), (values, clip) => {
      expect(norm(quantise(values, clip))).toBeLessThanOrEqual(CLIP_STEPS * (1 + 1e-12));
    }),
  );
});

it('gives values within the clip back to a step, and longer ones scaled', () => {
  const short = Float32Array.of(0.3, -0.4, 0);
  expect(norm([...dequantise(quantise(short, 1), 1, 1)].map((value, i) => value - short[i]!))).toBeLessThan(2e-6);
  expect([...dequantise(quantise(Float32Array.of(3, -4), 1), 1, 1)].map((value) => value.toFixed(5))).toEqual([
    '0.60000',
    '-0.80000',
  ]);
});

it('refuses what is not finite', () => {
  expect(() => quantise(Float32Array.of(1, Number.NaN), 1)).toThrow(RangeError);
});
