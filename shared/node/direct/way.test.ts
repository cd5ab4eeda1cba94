import { expect, it } from 'vitest';
import { prefersDirect, smoothed } from './way.ts';

it('a link goes directly unless that was measured to be clearly slower', () => {
  expect(prefersDirect({}, false)).toBe(true);
  expect(prefersDirect({ directMs: 300 }, true)).toBe(true);
  expect(prefersDirect({ directMs: 2, relayMs: 1 }, true), 'a millisecond is nothing').toBe(true);
  expect(prefersDirect({ directMs: 150, relayMs: 100 }, true)).toBe(true);
  expect(prefersDirect({ directMs: 250, relayMs: 100 }, true)).toBe(false);
});

it('a link that was left is taken up again only when it is no slower', () => {
  expect(prefersDirect({ directMs: 150, relayMs: 100 }, false)).toBe(false);
  expect(prefersDirect({ directMs: 100, relayMs: 100 }, false)).toBe(true);
});

it('one slow round trip does not change the way', () => {
  const directMs = smoothed(10, 200);
  expect(prefersDirect({ directMs, relayMs: 20 }, true)).toBe(true);
  expect(smoothed(undefined, 5)).toBe(5);
});
