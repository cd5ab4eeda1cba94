import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FIRST_WAIT_MS, FREE_TRIES, LONGEST_WAIT_MS, NO_TRIES, triesAt, waitBeforeTry } from './wallet-tries.ts';

describe('the wait before the next password', () => {
  it('is nothing for the first tries, then doubles to five minutes', () => {
    const waits = Array.from({ length: 16 }, (_, failures) => waitBeforeTry({ failures, lastMs: 0 }, 0) / 1000);
    expect(waits).toEqual([0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
    expect(waitBeforeTry({ failures: 1e6, lastMs: 0 }, 0)).toBe(LONGEST_WAIT_MS);
    expect(waitBeforeTry(NO_TRIES, 0)).toBe(0);
  });

  it('passes with the clock', () => {
    const tries = { failures: FREE_TRIES, lastMs: 5000 };
    expect([5000, 5999, 6000, 9000].map((nowMs) => waitBeforeTry(tries, nowMs))).toEqual([FIRST_WAIT_MS, 1, 0, 0]);
  });

  it('is never longer than the longest, nor escaped or for ever when the clock was set back', () => {
    fc.assert(
      fc.property(fc.nat(100), fc.nat(), fc.nat(), (failures, lastMs, nowMs) => {
        const waitMs = waitBeforeTry({ failures, lastMs }, nowMs);
        expect(waitMs).toBeLessThanOrEqual(LONGEST_WAIT_MS);
        if (nowMs <= lastMs && failures >= FREE_TRIES) expect(waitMs).toBeGreaterThanOrEqual(FIRST_WAIT_MS);
        expect(waitBeforeTry(triesAt({ failures, lastMs }, nowMs), nowMs + waitMs)).toBe(0);
      }),
    );
  });
});
