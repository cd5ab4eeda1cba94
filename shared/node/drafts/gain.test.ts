import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedGain, isWorthDrafting } from './gain.ts';

/** Leviathan et al. 2023, theorem 3.8, as it stands there. */
const theorem = (alpha: number, gamma: number, c: number) =>
  (1 - alpha ** (gamma + 1)) / ((1 - alpha) * (gamma * c + 1));

describe('the expected gain', () => {
  test('is the theorem’s where all chances are equal', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.nat(40),
        fc.double({ min: 0, max: 2, noNaN: true }),
        (alpha, gamma, c) => {
          expect(expectedGain(Array(gamma).fill(alpha), c)).toBeCloseTo(theorem(alpha, gamma, c), 9);
        },
      ),
    );
  });

  test('is one without drafts, and that of their number where they are free and right', () => {
    expect(expectedGain([], 0.5)).toBe(1);
    expect(expectedGain([1, 1, 1], 0)).toBe(4);
  });

  test('is the table’s: α = 0.8, γ = 5, c = 0.02 makes 3.35', () => {
    expect(expectedGain(Array(5).fill(0.8), 0.02)).toBeCloseTo(3.69 / 1.1, 2);
  });
});

describe('one more draft', () => {
  test('is worth it up to the length with the largest gain, and no further', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 0.98, noNaN: true }),
        fc.double({ min: 0.01, max: 0.5, noNaN: true }),
        (alpha, cost) => {
          const chances: number[] = [];
          while (isWorthDrafting(chances, alpha, cost)) chances.push(alpha);
          const gains = Array.from({ length: chances.length + 50 }, (_, k) => theorem(alpha, k, cost));
          expect(expectedGain(chances, cost)).toBeCloseTo(Math.max(...gains), 9);
        },
      ),
    );
  });

  test('is not where it costs more than it is likely to bring', () => {
    expect(isWorthDrafting([], 0.3, 0.4)).toBe(false);
    expect(isWorthDrafting([], 0.5, 0.4)).toBe(true);
    expect(isWorthDrafting([0.5], 0.5, 0.4)).toBe(false);
  });
});
