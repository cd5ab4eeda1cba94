import { expect, test } from 'vitest';
import { createLookup } from './lookup.ts';

function lookupOf(text: number[]) {
  const lookup = createLookup();
  for (const token of text) lookup.append(token);
  return lookup;
}

test('proposes what followed the longest suffix that was there before', () => {
  const lookup = lookupOf([1, 2, 3, 9, 2, 3, 8, 1, 2, 3]);
  expect(lookup.next([])).toEqual({ token: 9, order: 3 });
});

test('of equally long ones, what followed the latest', () => {
  expect(lookupOf([5, 1, 5, 2, 5]).next([])).toEqual({ token: 2, order: 1 });
});

test('goes on from what was drafted, around a cycle as often as one likes', () => {
  const lookup = lookupOf([7, 1, 2, 3, 1, 2, 3, 1]);
  const drafted: number[] = [];
  for (let i = 0; i < 7; i++) drafted.push(lookup.next(drafted)!.token);
  expect(drafted).toEqual([2, 3, 1, 2, 3, 1, 2]);
});

test('has no idea of a text that never repeated itself', () => {
  expect(lookupOf([1, 2, 3]).next([])).toBeUndefined();
  expect(lookupOf([]).next([])).toBeUndefined();
});
