import { expect, test } from 'vitest';
import { ZERO_HASH } from '../ledger/binary.ts';
import { sealCheckpoint } from '../ledger/checkpoint.ts';
import { networkKey } from '../ledger/testing.ts';
import { Heard } from './heard.ts';
import { MAX_HEARD } from './limits.ts';
import type { Target } from './replay.ts';

function target(size: number, timeMs = 0): Target {
  const checkpoint = { networkId: ZERO_HASH, size, root: ZERO_HASH, stateHash: ZERO_HASH, timeMs };
  return { checkpoint, seal: sealCheckpoint(networkKey, checkpoint) };
}

test('the largest comes first, each once, and of the same size the one that was heard of first', () => {
  const heard = new Heard();
  const [small, first, second] = [target(3), target(7, 1), target(7, 2)];
  for (const each of [small, first, second, target(7, 1)]) heard.add(each);
  expect(heard.size).toBe(7);
  const order: Target[] = [];
  for (let next = heard.next(); next; next = heard.next()) {
    order.push(next);
    heard.delete(next);
  }
  expect(order).toEqual([small, first, second].sort((a, b) => b.checkpoint.size - a.checkpoint.size));
  expect([heard.isEmpty, heard.size]).toEqual([true, 0]);
});

test('of too many the smallest are forgotten', () => {
  const heard = new Heard();
  for (let size = 1; size <= MAX_HEARD + 5; size++) heard.add(target(size));
  let [count, least] = [0, Number.POSITIVE_INFINITY];
  for (let next = heard.next(); next; next = heard.next()) {
    [count, least] = [count + 1, next.checkpoint.size];
    heard.delete(next);
  }
  expect([count, least]).toEqual([MAX_HEARD, 6]);
});
