import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BAN_MS, LEAST_RATE, MAX_BAN_MS, MAX_DISPUTES, MAX_PASSES } from './limits.ts';
import { caught, checkRate, disputed, isBanned, passed, silent, type Trust, UNKNOWN } from './trust.ts';

const having = (passes: number): Trust => ({ ...UNKNOWN, passes });

describe('trust', () => {
  test('begins with every answer checked, and ends at one of four', () => {
    expect([0, 8, 24, 1000].map((passes) => checkRate(having(passes)))).toEqual([1, 0.5, 0.25, 0.25]);
  });

  test('grows with each check that is passed, up to a bound, and the share that is checked never grows with it', () => {
    fc.assert(
      fc.property(fc.nat(MAX_PASSES), (passes) => {
        const next = passed(having(passes));
        expect(next.passes).toBe(Math.min(MAX_PASSES, passes + 1));
        expect(checkRate(next)).toBeLessThanOrEqual(checkRate(having(passes)));
        expect(checkRate(next)).toBeGreaterThanOrEqual(LEAST_RATE);
      }),
    );
  });

  test('is gone when its wallet is caught, which bans it for longer each time', () => {
    const once = caught(having(500), 1000);
    expect(once).toEqual({ passes: 0, strikes: 1, bannedUntilMs: 1000 + BAN_MS, disputedWith: [] });
    expect(isBanned(once, 999 + BAN_MS)).toBe(true);
    expect(isBanned(once, 1000 + BAN_MS)).toBe(false);
    expect(caught(once, 0).bannedUntilMs).toBe(2 * BAN_MS);
    expect(caught({ ...once, strikes: 1e6 }, 0).bannedUntilMs).toBe(MAX_BAN_MS);
  });

  test('is gone for who stays silent, without a ban', () => {
    expect(silent(having(9))).toEqual(UNKNOWN);
  });

  test('of who differs with one other is gone; who differs with several others is taken for the liar', () => {
    const names = Array.from({ length: MAX_DISPUTES }, (_, i) => `other${i}`);
    const twice = disputed(disputed(having(9), names[0]!, 0), names[0]!, 0);
    expect(twice).toEqual({ ...UNKNOWN, disputedWith: [names[0]] });
    const last = names.reduce((trust, name) => disputed(trust, name, 5), UNKNOWN);
    expect(last).toEqual(caught(UNKNOWN, 5));
  });

  test('at the least rate, who spoils every answer is caught within 20 requests with 0.99', () => {
    expect(1 - (1 - LEAST_RATE) ** 20).toBeGreaterThan(0.99);
  });
});
