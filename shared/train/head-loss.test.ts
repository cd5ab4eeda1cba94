import { describe, expect, test } from 'vitest';
import { HeadLoss, tilesOf } from './head-loss.ts';

test('tiles cover the vocabulary, and all but the last are equal', () => {
  expect(tilesOf(10, 4)).toEqual([
    { start: 0, end: 4 },
    { start: 4, end: 8 },
    { start: 8, end: 10 },
  ]);
  expect(tilesOf(65, 100)).toEqual([{ start: 0, end: 65 }]);
  expect(tilesOf(50_257, 10_485)).toHaveLength(5);
});

describe('the loss of tiles', () => {
  const logits = [
    [1, 2, 3, 4, 5],
    [-200, 0, 300, 0, 1],
    [0, 0, 0, 0, 0],
  ];
  const targets = Int32Array.of(3, 0, -1);
  const logSum = (row: number[]) =>
    Math.max(...row) + Math.log(row.reduce((s, x) => s + Math.exp(x - Math.max(...row)), 0));
  const head = new HeadLoss(targets);
  const tiles = tilesOf(5, 2);
  for (const tile of tiles) {
    const parts = logits.map((row) => row.slice(tile.start, tile.end));
    head.add(tile, Float32Array.from(parts.flat()), Float32Array.from(parts, logSum));
  }

  test('is that of all logits at once, over the targets that count', () => {
    expect(head.loss).toBeCloseTo((logSum(logits[0]!) - 4 + (300 + 200)) / 2, 5);
    expect([...head.logSums]).toEqual(logits.map((row) => expect.closeTo(logSum(row), 4)));
    expect([...head.weight]).toEqual([0.5, 0.5, 0]);
  });

  test('finds each target in its tile', () => {
    expect(head.hits(tiles[0]!)).toEqual({ column: Int32Array.of(0, 0, 0), hit: Float32Array.of(0, -0.5, 0) });
    expect(head.hits(tiles[1]!)).toEqual({ column: Int32Array.of(1, 0, 0), hit: Float32Array.of(-0.5, 0, 0) });
  });

  test('is 0 where no target counts', () => {
    const none = new HeadLoss(Int32Array.of(-1, -1));
    none.add({ start: 0, end: 1 }, Float32Array.of(5, 6), Float32Array.of(5, 6));
    expect(none.loss).toBe(0);
  });
});
