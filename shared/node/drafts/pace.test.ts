import { describe, expect, test } from 'vitest';
import { LEAST_COST_RATIO } from '../limits.ts';
import { createPace } from './pace.ts';

describe('the chance of a draft', () => {
  test('follows what became of those after matches as long', () => {
    const pace = createPace();
    for (let i = 0; i < 40; i++) {
      pace.judged(1, false);
      pace.judged(5, true);
    }
    expect(pace.chance(1)).toBeLessThan(0.1);
    expect(pace.chance(5)).toBeGreaterThan(0.9);
    expect(pace.chance(3)).toBe(0.5);
  });

  test('is forgotten when it has not been tried for long', () => {
    const pace = createPace();
    for (let i = 0; i < 40; i++) pace.judged(1, false);
    expect(pace.chance(1)).toBeLessThan(0.1);
    for (let token = 0; token < 600; token++) pace.returned(token, token);
    expect(pace.chance(1)).toBeGreaterThan(0.4);
  });
});

describe('the cost of a row', () => {
  /** Rows handed on together come back so far apart, a round trip later. */
  function paceOf(roundTripMs: number, rowMs: number, rows = 4) {
    const pace = createPace();
    for (let burst = 0; burst < 40; burst++) {
      const startMs = burst * 10_000;
      const first = burst * rows;
      for (let i = 0; i < rows; i++) pace.sent(first + i, startMs);
      for (let i = 0; i < rows; i++) pace.returned(first + i, startMs + roundTripMs + i * rowMs);
    }
    return pace;
  }

  test('is the time between rows over that of a round trip', () => {
    expect(paceOf(2000, 200).costRatio()).toBeCloseTo(200 / 2300, 2);
  });

  test('is never nothing', () => {
    expect(paceOf(2000, 1).costRatio()).toBe(LEAST_COST_RATIO);
    expect(createPace().costRatio()).toBe(LEAST_COST_RATIO);
  });

  test('is not read off rows that each waited for the token before', () => {
    const pace = createPace();
    for (let row = 0; row < 50; row++) {
      pace.sent(row, row * 2000);
      pace.returned(row, row * 2000 + 1990 + (row % 7));
    }
    expect(pace.costRatio()).toBe(LEAST_COST_RATIO);
  });

  test('is not moved by what was never handed on', () => {
    const pace = createPace();
    pace.returned(7, 1e9);
    expect(pace.costRatio()).toBe(LEAST_COST_RATIO);
  });
});
