import { expect, test } from 'vitest';
import { drawLosses } from './losses.ts';

test('different stages are lost at different moments, none of them after the last token', () => {
  const losses = drawLosses(3, 12, 30, 7);
  expect(new Set(losses.map(({ stage }) => stage)).size).toBe(3);
  expect(losses.map(({ afterToken }) => afterToken)).toEqual([6, 12, 18]);
  expect(losses.every(({ stage }) => stage >= 0 && stage < 12)).toBe(true);
  expect(drawLosses(3, 12, 30, 7)).toEqual(losses);
  expect(drawLosses(3, 12, 30, 8)).not.toEqual(losses);
});

test('no more stages than there are', () => {
  expect(drawLosses(5, 2, 30, 1)).toHaveLength(2);
});
