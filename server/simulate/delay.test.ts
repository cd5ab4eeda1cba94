import { describe, expect, test } from 'vitest';
import { delayed, delayOf, delays } from './delay.ts';

/** Gives these, one after the other. */
const uniform =
  (...values: number[]) =>
  () =>
    values.shift()!;

describe('what a message waits for', () => {
  test('is the latency, a jitter more or less', () => {
    const link = { latencyMs: 20, jitterMs: 5, lossRate: 0 };
    expect(delayOf(link, uniform(0.5, 0))).toBe(20);
    expect(delayOf(link, uniform(0, 0))).toBe(15);
    expect(delayOf({ ...link, jitterMs: 50 }, uniform(0, 0))).toBe(0);
  });

  test('and for each loss a round trip and TCP’s least timeout, doubling', () => {
    const link = { latencyMs: 20, jitterMs: 0, lossRate: 0.1 };
    expect(delayOf(link, uniform(0.5, 0.1))).toBe(20);
    expect(delayOf(link, uniform(0.5, 0.05, 0.5))).toBe(20 + 240);
    expect(delayOf(link, uniform(0.5, 0.05, 0.05, 0.5))).toBe(20 + 240 + 480);
    expect(
      delayOf({ ...link, lossRate: 1 }, () => 0.5),
      'it arrives some time',
    ).toBe(20 + 240 * 63);
  });

  test('follows from the seed', () => {
    const link = { latencyMs: 20, jitterMs: 5, lossRate: 0.01 };
    const take = (seed: number) => Array.from({ length: 50 }, delays(link, seed));
    expect(take(1)).toEqual(take(1));
    expect(take(1)).not.toEqual(take(2));
  });
});

test('what is late holds up what comes behind it, and nothing comes early', () => {
  let nowMs = 0;
  const timers: { dueMs: number; run: () => void }[] = [];
  const arrived: [string, number][] = [];
  const take = delayed<string>((item) => arrived.push([item, nowMs]), {
    delayMs: uniform(20, 5, 30, 1),
    now: () => nowMs,
    schedule(run, delayMs) {
      // Timers that fire a millisecond early, as real ones may.
      timers.push({ dueMs: nowMs + Math.max(1, delayMs - 1), run });
      return () => {};
    },
  });
  const passTo = (endMs: number) => {
    for (; nowMs <= endMs; nowMs++) {
      for (let due = timers.findIndex(({ dueMs }) => dueMs <= nowMs); due >= 0; ) {
        timers.splice(due, 1)[0]!.run();
        due = timers.findIndex(({ dueMs }) => dueMs <= nowMs);
      }
    }
  };
  take('a');
  take('b');
  passTo(9);
  take('c');
  passTo(60);
  take('d');
  passTo(100);
  expect(arrived).toEqual([
    ['a', 20],
    ['b', 20],
    ['c', 40],
    ['d', 62],
  ]);
});
