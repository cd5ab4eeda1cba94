import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { QUANTS } from '../../../shared/graph/types.ts';
import { WIRE_DTYPES } from '../../../shared/tensor/payload.ts';
import { distance, judge, type Opinion, toleranceOf } from './verdict.ts';

const COLUMNS = 4;
const opinion = (node: string, values: number[], wrong: number[] = []): Opinion => ({
  node,
  values: Float32Array.from(values),
  columns: COLUMNS,
  wrong,
});
const right = [1, -2, 3, 4, 0, 5, 0, -1];
const scaled = (by: number) => right.map((value) => value * by);

describe('the difference of rows', () => {
  test('is that of the worst row, as a share of the longer', () => {
    expect(distance(Float32Array.from(right), Float32Array.from(right), COLUMNS)).toBe(0);
    const changed = Float32Array.from([...right.slice(0, 4), 0, 5, 0, 1]);
    expect(distance(Float32Array.from(right), changed, COLUMNS)).toBeCloseTo(2 / Math.sqrt(26), 6);
    expect(distance(Float32Array.from(right), Float32Array.from(scaled(1.05)), COLUMNS)).toBeCloseTo(0.05 / 1.05, 6);
  });

  test('is without bound where something is no number, or missing', () => {
    const without = Float32Array.from([...right.slice(0, 7), Number.NaN]);
    expect(distance(Float32Array.from(right), without, COLUMNS)).toBe(Number.POSITIVE_INFINITY);
    expect(distance(without, without, COLUMNS)).toBe(Number.POSITIVE_INFINITY);
    expect(distance(Float32Array.from(right), new Float32Array(4), COLUMNS)).toBe(Number.POSITIVE_INFINITY);
    expect(distance(new Float32Array(8), new Float32Array(8), COLUMNS)).toBe(0);
  });

  test('is the same from both sides', () => {
    const row = fc.float32Array({ minLength: COLUMNS, maxLength: COLUMNS, noNaN: true, min: -100, max: 100 });
    fc.assert(
      fc.property(row, row, (a, b) => {
        expect(distance(a, b, COLUMNS)).toBe(distance(b, a, COLUMNS));
      }),
    );
  });

  test('of 5 % is beyond what any room allows', () => {
    for (const quant of QUANTS) {
      for (const wire of WIRE_DTYPES) expect(toleranceOf(quant, wire)).toBeLessThan(0.05 / 1.05);
    }
  });
});

describe('the verdict', () => {
  const claim = opinion('claims', right);
  const wrong = opinion('claims', scaled(1.05));
  const honest = (node: string) => opinion(node, scaled(1.000_01));
  const lie = (node: string) => opinion(node, [...right].reverse());

  test.each<[string, Opinion, [Opinion, Opinion?], object]>([
    ['agrees', claim, [honest('a')], { kind: 'agreed' }],
    ['needs another where one disagrees', wrong, [honest('a')], { kind: 'open' }],
    ['is against who stands alone', wrong, [honest('a'), honest('b')], { kind: 'liar', node: 'claims' }],
    ['is against a checker that lies', claim, [lie('a'), honest('b')], { kind: 'liar', node: 'a' }],
    [
      'is against a checker that did nothing',
      claim,
      [
        opinion(
          'a',
          right.map(() => 0),
        ),
        honest('b'),
      ],
      { kind: 'liar', node: 'a' },
    ],
    ['is against nobody where all differ', wrong, [honest('a'), lie('b')], { kind: 'unclear' }],
    ['needs another for tokens that cannot be', claim, [opinion('a', right, [3])], { kind: 'open' }],
    [
      'is against who chose them',
      claim,
      [opinion('a', right, [3]), opinion('b', right, [3])],
      { kind: 'liar', node: 'claims' },
    ],
    [
      'is against who made that up',
      claim,
      [opinion('a', right, [3]), opinion('b', right)],
      { kind: 'liar', node: 'a' },
    ],
  ])('%s', (_, claimed, checks, expected) => {
    expect(judge(claimed, checks, 1e-3)).toEqual(expected);
  });
});
