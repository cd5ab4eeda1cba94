import { describe, expect, test } from 'vitest';
import { latencyFloor, percentile, speedOf, tokensLost } from './figures.ts';

test('the floor of a token is one latency for each link of the ring', () => {
  expect(latencyFloor(120, 20)).toEqual({ tokenMs: 2400, tokensPerSecond: 1000 / 2400 });
  expect(latencyFloor(1, 20).tokensPerSecond, 'one stage has no neighbour').toBeNull();
  expect(latencyFloor(12, 0).tokensPerSecond).toBeNull();
});

describe('speed', () => {
  test('is that of the tokens after the first', () => {
    const speed = speedOf({ askedMs: 100, tokensMs: [300, 400, 500, 700] });
    expect(speed).toEqual({ firstTokenMs: 200, tokensPerSecond: 7.5, tokenMsP50: 100, tokenMsP95: 200 });
  });

  test('is none where there is no second token', () => {
    expect(speedOf({ askedMs: 0, tokensMs: [5] })).toMatchObject({ firstTokenMs: 5, tokensPerSecond: 0 });
    expect(speedOf({ askedMs: 0, tokensMs: [] })).toMatchObject({ firstTokenMs: 0, tokensPerSecond: 0 });
  });
});

test('percentiles are values that were there', () => {
  expect(percentile([4, 1, 3, 2], 0.5)).toBe(2);
  expect(percentile([4, 1, 3, 2], 1)).toBe(4);
  expect(percentile([7], 0.01)).toBe(7);
  expect(percentile([], 0.5)).toBe(0);
});

test('a token is lost where another stands, or none', () => {
  expect(tokensLost([1, 2, 3], [1, 2, 3])).toBe(0);
  expect(tokensLost([1, 2, 3], [1, 9, 3])).toBe(1);
  expect(tokensLost([1, 2, 3], [1])).toBe(2);
});
