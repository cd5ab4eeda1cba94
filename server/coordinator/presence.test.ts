import { expect, test } from 'vitest';
import { Presence } from './presence.ts';

test('a node is present while it has a session and for a while after it', () => {
  const presence = new Presence({ withinMs: 1000, maxNodes: 10, knownMs: 0 });
  presence.opened('a');
  presence.opened('b');
  presence.closed('a', 500);
  expect(presence.nodes(1500)).toEqual(['b', 'a']);
  expect(presence.nodes(1501)).toEqual(['b']);
  expect(presence.nodes(1e9)).toEqual(['b']);
});

test('who comes back has not been away', () => {
  const presence = new Presence({ withinMs: 1000, maxNodes: 10, knownMs: 0 });
  presence.opened('a');
  presence.closed('a', 0);
  presence.opened('a');
  expect(presence.nodes(5000)).toEqual(['a']);
  presence.closed('a', 6000);
  expect(presence.nodes(7000)).toEqual(['a']);
});

test('remembers so many, and forgets first whose session ended first', () => {
  const presence = new Presence({ withinMs: 1000, maxNodes: 3, knownMs: 0 });
  for (const node of ['a', 'b', 'c', 'd']) presence.opened(node);
  presence.closed('a', 1);
  presence.closed('b', 2);
  expect(presence.nodes(3)).toEqual(['c', 'd', 'b']);
});

test('does not say before it can know', () => {
  const presence = new Presence({ withinMs: 1000, maxNodes: 3, knownMs: 60_000 });
  presence.opened('a');
  expect(() => presence.nodes(59_000)).toThrow(
    'The coordinator has just started and waits for the nodes to come back; report it in 1 s.',
  );
  expect(presence.nodes(60_000)).toEqual(['a']);
});
