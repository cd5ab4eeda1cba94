import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { confirmedMean, medianOfAll, type Rule, trimmedMeanOfAll } from './rules.ts';

const CAP = 1;
const SIZE = 8;

function combine(rule: Rule, values: number[], size = SIZE): number {
  return rule.combine(Float64Array.from(values), new Float64Array(values.length).fill(1), values.length, size);
}

describe('what liars of eight can do to a coordinate, at most', () => {
  const value = fc.double({ min: -CAP, max: CAP, noNaN: true });

  it.each([
    { liars: 1, most: 9 / 10 },
    { liars: 2, most: 81 / 65 },
  ])('$liars: $most of the cap', ({ liars, most }) => {
    const honest = fc.array(value, { maxLength: SIZE - liars });
    const lies = fc.array(value, { minLength: 1, maxLength: liars });
    fc.assert(
      fc.property(honest, lies, (told, lied) => {
        const difference = combine(confirmedMean, [...told, ...lied]) - combine(confirmedMean, told);
        expect(Math.abs(difference)).toBeLessThanOrEqual(most * CAP + 1e-12);
      }),
      { numRuns: 2000 },
    );
    const reached = Array.from({ length: SIZE - liars + 1 }, (_, h) => {
      const told = Array<number>(h).fill(CAP);
      return combine(confirmedMean, told) - combine(confirmedMean, [...told, ...Array<number>(liars).fill(-CAP)]);
    });
    expect(Math.max(...reached)).toBeCloseTo(most * CAP, 12);
  });

  it('alone they are heard no louder than one honest sender, and cannot turn three that agree', () => {
    expect(combine(confirmedMean, [CAP])).toBeCloseTo((9 / 10) * CAP, 12);
    expect(combine(confirmedMean, [CAP, CAP])).toBeCloseTo(CAP, 12);
    expect(combine(confirmedMean, [CAP, CAP, CAP, -CAP, -CAP])).toBeGreaterThan(0);
  });
});

it('median and trimmed mean hold out against two of eight without any cap', () => {
  const honest = [1, 2, 3, 4, 5, 6];
  for (const lies of [
    [1e9, 1e9],
    [-1e9, -1e9],
    [1e9, -1e9],
  ]) {
    for (const rule of [medianOfAll, trimmedMeanOfAll]) {
      const result = combine(rule, [...honest, ...lies]);
      expect(result).toBeGreaterThanOrEqual(1);
      expect(result).toBeLessThanOrEqual(6);
    }
  }
  expect(combine(medianOfAll, [1e9, 1e9])).toBe(0);
  expect(combine(trimmedMeanOfAll, [1e9, 1e9])).toBe(0);
  expect(combine(medianOfAll, [1, 2, 3, 4, 6])).toBe(1.5);
  expect(combine(trimmedMeanOfAll, [1, 2, 3], 3)).toBe(2);
});
