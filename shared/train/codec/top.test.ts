import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Block } from './block.ts';
import { randomValues } from './testing.ts';
import { TopSelector } from './top.ts';

const SMALLEST = 2 ** -24;

function blockOf(values: Float32Array<ArrayBuffer>, width = values.length, stride = width): Block {
  const rows = Math.ceil(values.length / stride);
  return { values, bits: new Uint32Array(values.buffer), start: 0, rows, width, stride };
}

function byItself(values: Float32Array, keep: number): number[] {
  return [...values.keys()]
    .filter((i) => Math.abs(values[i]!) >= SMALLEST)
    .sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!) || a - b)
    .slice(0, keep)
    .sort((a, b) => a - b);
}

function check(selector: TopSelector, values: Float32Array<ArrayBuffer>, keep: number): void {
  selector.select(blockOf(values));
  const expected = byItself(values, keep);
  expect([...selector.indices.subarray(0, selector.count)]).toEqual(expected);
  if (selector.count === 0) return;
  expect([...selector.magnitudes()]).toEqual(expected.map((i) => Math.abs(values[i]!)).sort((a, b) => a - b));
}

test('selects what sorting selects, whatever came before', () => {
  const keep = 7;
  const selector = new TopSelector(keep);
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.float({ noNaN: true, noDefaultInfinity: true }) },
    { weight: 2, arbitrary: fc.constantFrom(0, -0, 1, -1, 2 ** -24, 2 ** -25, 0.5) },
  );
  fc.assert(
    fc.property(fc.array(value, { minLength: 1, maxLength: 200 }), (values) => {
      check(selector, Float32Array.from(values), keep);
    }),
    { numRuns: 500 },
  );
});

test('whole blocks at scales that jump, zeros and ties between', () => {
  const selector = new TopSelector(64);
  for (const [seed, scale] of [1e-3, 1e-3, 1e-9, 0, 1e3, 1e-5, 1e30, 1e-3].entries()) {
    check(selector, randomValues(4096, seed, scale), 64);
  }
  check(selector, new Float32Array(4096).fill(-0.25), 64);
  check(selector, new Float32Array(63).fill(1), 64);
});

test('a block is where its rows are', () => {
  const values = new Float32Array([9, 1, 2, 9, 4, 3, 9, 6, 5]);
  const selector = new TopSelector(3);
  selector.select({ ...blockOf(values, 2, 3), start: 1 });
  expect([...selector.indices.subarray(0, 3)]).toEqual([2, 4, 5]);
});
