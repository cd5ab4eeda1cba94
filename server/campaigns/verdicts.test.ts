import { describe, expect, test } from 'vitest';
import { type Measured, verdictsOf } from './verdicts.ts';

const honest = (unit: string, change: Partial<Measured> = {}): Measured => ({
  ...{ unit, wallet: `wallet ${unit}`, norm: 1, lossBefore: 2, lossAfter: 1.9 },
  ...{ assignedGain: 0.15, elsewhereGain: 0.1, copied: 0.2, published: 0.3, ...change },
});
const cohort = (change: Partial<Measured>) =>
  ['a', 'b', 'c', 'd'].map((unit) => honest(unit)).concat(honest('e', change));
const reasonOf = (change: Partial<Measured>, known = new Map()) => verdictsOf(cohort(change), known).at(-1)!.reason;

describe('an update', () => {
  test('of honest work counts, and its wallet is known to learn', () => {
    expect(verdictsOf(cohort({}), new Map()).at(-1)).toEqual({
      ...{
        unit: 'e',
        score: { lossBefore: 2, lossAfter: 1.9 },
        diligence: { learned: expect.closeTo(0.04, 9), expected: expect.closeTo(0.04, 9) },
      },
    });
  });

  test.each([
    [{ lossAfter: Number.NaN }, 'not a number'],
    [{ copied: 0.95 }, 'a copy'],
    [{ published: 0.95 }, 'earlier rounds'],
    [{ norm: 9 }, 'far larger'],
    [{ norm: 0.1 }, 'far smaller'],
    [{ lossAfter: 2.1 }, 'worse'],
    [{ lossAfter: 1.9999, assignedGain: 0.001 }, 'next to nothing'],
    [{ assignedGain: 0 }, 'did not learn'],
  ])('with %j does not', (change, reason) => {
    expect(reasonOf(change)).toContain(reason);
  });

  test('that lowers the loss on its own text counts where chance hides what it does on other text', () => {
    expect(reasonOf({ lossAfter: 2.001 })).toBeUndefined();
  });

  test('of a wallet that gains no more on its own text for several rounds does not, until it does', () => {
    const idle = { assignedGain: 0.1, elsewhereGain: 0.1 };
    expect(reasonOf(idle)).toBeUndefined();
    const known = new Map([['wallet e', { learned: 0.15, expected: 0.5 }]]);
    expect(reasonOf(idle, known)).toContain('over several rounds');
    expect(reasonOf({}, known)).toBeUndefined();
  });
});

test('a round in which all gain alike on all text says nothing of anybody', () => {
  const alike = ['a', 'b', 'c', 'd'].map((unit) => honest(unit, { assignedGain: 0.1, elsewhereGain: 0.1 }));
  const known = new Map([['wallet a', { learned: 0.1, expected: 0.2 }]]);
  const verdicts = verdictsOf(alike, known);
  expect(verdicts.map(({ diligence }) => diligence)).toEqual([known.get('wallet a'), undefined, undefined, undefined]);
  expect(verdicts.every(({ score }) => score)).toBe(true);
});

test('of two, neither is the measure of the other’s size', () => {
  const verdicts = verdictsOf([honest('a'), honest('b', { norm: 100 })], new Map());
  expect(verdicts.every(({ score }) => score !== undefined)).toBe(true);
});
