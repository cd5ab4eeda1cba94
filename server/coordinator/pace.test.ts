import { expect, test } from 'vitest';
import { MAX_PACES, PACE_AGE_MS } from './limits.ts';
import { bestHolder, measured, type Paces } from './pace.ts';

const holder = (assignment: string, away = false) => ({
  ...{ node: assignment, assignment, ready: true },
  ...(away && { awaySinceMs: 0 }),
});
const paces = (ms: Record<string, number>, atMs = 0): Paces =>
  new Map(Object.entries(ms).map(([assignment, each]) => [assignment, { ms: each, atMs }]));
const best = (names: string[], known: Paces, load: Record<string, number> = {}, nowMs = 0) =>
  bestHolder(
    names.map((name) => holder(name)),
    { counts: new Map(Object.entries(load)), paces: known, nowMs },
  )?.assignment;

test('the fastest holder is taken, and one with much to do counts as slower', () => {
  expect(best(['a', 'b'], paces({ a: 30, b: 20 }))).toBe('b');
  expect(best(['a', 'b'], paces({ a: 21, b: 20 }), { b: 4 })).toBe('a');
  expect(best(['a', 'b'], paces({ a: 30, b: 20 }), { b: 4 })).toBe('b');
});

test('without figures the one with the fewest jobs is taken', () => {
  expect(best(['a', 'b', 'c'], new Map(), { a: 2, b: 1, c: 3 })).toBe('b');
});

test('who was not measured lately is tried: it counts as fast as the fastest', () => {
  expect(best(['slow', 'new'], paces({ slow: 30 }), { slow: 1, new: 0 })).toBe('new');
  const old = paces({ slow: 300, fast: 20 });
  expect(best(['slow', 'fast'], old, { fast: 1 }, PACE_AGE_MS)).toBe('fast');
  const fresh = new Map([...old, ['fast', { ms: 20, atMs: PACE_AGE_MS }]]) as Paces;
  expect(best(['slow', 'fast'], fresh, { fast: 1 }, PACE_AGE_MS + 1)).toBe('slow');
});

test('one that is away is taken only where nobody else is there, one that loads never', () => {
  const known = { counts: new Map(), paces: paces({ a: 1, b: 50 }), nowMs: 0 };
  expect(bestHolder([holder('a', true), holder('b')], known)?.assignment).toBe('b');
  expect(bestHolder([holder('a', true)], known)?.assignment).toBe('a');
  expect(bestHolder([{ ...holder('a'), ready: false }], known)).toBeUndefined();
});

test('turns are smoothed, counted once, forgotten when there are too many', () => {
  const turn = (ms: number, atMs: number) => [{ assignment: 'a', turn: { ms, atMs } }];
  const first = measured(new Map(), turn(80, 10));
  expect(first.get('a')).toEqual({ ms: 80, atMs: 10 });
  expect(measured(first, turn(80, 10)).get('a')).toEqual({ ms: 80, atMs: 10 });
  expect(measured(first, turn(0, 20)).get('a')).toEqual({ ms: 70, atMs: 20 });
  expect(measured(first, turn(8, 11 + PACE_AGE_MS)).get('a')?.ms, 'after a long time anew').toBe(8);
  const many = Array.from({ length: MAX_PACES + 2 }, (_, i) => ({ assignment: `${i}`, turn: { ms: 1, atMs: 1 } }));
  expect([...measured(new Map(), many).keys()].slice(0, 1)).toEqual(['2']);
});
