import { expect, it } from 'vitest';
import { durationInWords, remainingMs } from './remaining.ts';

it('expects the rest to come as fast as what came', () => {
  expect(remainingMs(1000, 10, 30)).toBe(3000);
  expect(remainingMs(0, 10, 30)).toBeUndefined();
  expect(remainingMs(1000, 0, 30)).toBeUndefined();
  expect(remainingMs(1000, 10, 0)).toBeUndefined();
});

it('says it in the unit that fits', () => {
  expect([2_100, 89_000, 100_000, 5_400_000].map(durationInWords)).toEqual(['3 s', '89 s', '2 min', '2 h']);
});
