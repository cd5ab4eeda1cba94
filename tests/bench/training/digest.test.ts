import { describe, expect, test } from 'vitest';
import { difference, digestOf } from './digest.ts';

const values = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
const digest = digestOf(10, new Map([['w', values]]));

describe('the difference of two digests', () => {
  test('is none of the same, and as large as the largest', () => {
    expect(difference(digest, digest)).toBe(0);
    expect(difference(digest, digestOf(10.1, new Map([['w', values]])))).toBeCloseTo(0.01, 6);
    const scaled = values.map((value) => 1.02 * value);
    expect(difference(digest, digestOf(10, new Map([['w', scaled]])))).toBeGreaterThan(0.02);
  });

  test('shows values in other places, and gradients that are missing or no numbers', () => {
    expect(difference(digest, digestOf(10, new Map([['w', values.toReversed()]])))).toBeGreaterThan(1);
    expect(difference(digest, digestOf(10, new Map()))).toBe(Number.POSITIVE_INFINITY);
    expect(difference(digest, digestOf(10, new Map([['w', values.fill(Number.NaN)]])))).toBeNaN();
  });
});
