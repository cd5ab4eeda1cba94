import fc from 'fast-check';
import { expect, it } from 'vitest';
import { reconnectDelayMs } from './backoff.ts';
import { RECONNECT_FIRST_MS, RECONNECT_LAST_MS } from './limits.ts';

it('doubles from the first wait to the last, and jitter takes away half at most', () => {
  expect([0, 1, 2, 3].map((attempt) => reconnectDelayMs(attempt, 1))).toEqual(
    [1, 2, 4, 8].map((factor) => factor * RECONNECT_FIRST_MS),
  );
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
      const delayMs = reconnectDelayMs(attempt, random);
      expect(delayMs).toBeGreaterThanOrEqual(RECONNECT_FIRST_MS / 2);
      expect(delayMs).toBeLessThanOrEqual(RECONNECT_LAST_MS);
    }),
  );
});
