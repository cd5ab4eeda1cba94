import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RateLimiter, take } from './rate-limit.ts';

const rule = { capacity: 3, perSecond: 2 };

describe('token bucket', () => {
  test('gives its capacity at once, then says when there is more', () => {
    const limiter = new RateLimiter(rule, 8);
    expect([1, 2, 3].map(() => limiter.take('a', 1000))).toEqual([0, 0, 0]);
    expect(limiter.take('a', 1000)).toBe(500);
    expect(limiter.take('a', 1499)).toBeGreaterThan(0);
    expect(limiter.take('a', 1500)).toBe(0);
    expect(limiter.take('b', 1500)).toBe(0);
  });

  test('a refused take costs nothing', () => {
    const limiter = new RateLimiter(rule, 8);
    expect(limiter.take('a', 0, 4)).toBe(500);
    expect(limiter.take('a', 0, 3)).toBe(0);
  });

  test('asking how long to wait costs nothing either', () => {
    const limiter = new RateLimiter(rule, 8);
    expect([limiter.wait('a', 0, 3), limiter.wait('a', 0, 3), limiter.take('a', 0, 3)]).toEqual([0, 0, 0]);
    expect(limiter.wait('a', 0)).toBe(limiter.take('a', 0));
  });

  test('never gives more than capacity plus refill, whatever the clock does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 200 }), (steps) => {
        let nowMs = 10_000;
        let forwardMs = 0;
        let given = 0;
        let bucket: Parameters<typeof take>[0];
        for (const stepMs of steps) {
          nowMs += stepMs;
          forwardMs += Math.max(0, stepMs);
          const taken = take(bucket, rule, nowMs);
          bucket = taken.bucket;
          if (taken.retryAfterMs === 0) given++;
        }
        expect(given).toBeLessThanOrEqual(rule.capacity + (forwardMs / 1000) * rule.perSecond);
      }),
    );
  });

  test('remembers a bounded number of keys', () => {
    const limiter = new RateLimiter({ capacity: 1, perSecond: 0.001 }, 2);
    limiter.take('a', 0);
    limiter.take('b', 0);
    expect(limiter.take('b', 0)).toBeGreaterThan(0);
    limiter.take('c', 0);
    expect(limiter.take('a', 0)).toBe(0);
  });
});
