import { expect, it } from 'vitest';
import type { NodeState } from '../../shared/node/types.ts';
import { badgeOf } from './badge.ts';

const node = (change: Partial<NodeState> = {}): NodeState => ({
  connection: 'connected',
  address: 'alc1x',
  contributing: true,
  training: { kind: 'off' },
  activity: { kind: 'ready', model: 'stories', stage: 1, stages: 4, start: 2, end: 4, jobsDone: 0 },
  models: [],
  ...change,
});
const stopped: Partial<NodeState> = { connection: 'stopped', contributing: false, activity: { kind: 'off' } };
const locked = { code: 'WALLET_LOCKED', message: 'It is locked.' } as const;
const unreadable = { code: 'WALLET_UNREADABLE', message: 'It is damaged.' } as const;
const error = { code: 'ENGINE_UNAVAILABLE', message: 'No engine.' } as const;

it.each<[string, Partial<NodeState>, boolean, string, RegExp]>([
  ['holds a part', {}, true, 'contributing', /part 2 of 4 of stories/],
  ['waits for a part', { activity: { kind: 'waiting' } }, true, 'waiting', /waiting for work/],
  ['has no connection', { connection: 'connecting' }, true, 'waiting', /connecting/],
  ['was switched off', { contributing: false }, false, 'off', /not contributing/],
  ['chats only, without a connection', { contributing: false, connection: 'connecting' }, false, 'off', /not/],
  ['could not begin', { contributing: false, error }, true, 'error', /No engine/],
  ['has a locked wallet', { ...stopped, error: locked }, true, 'locked', /It is locked/],
  ['has no wallet', { ...stopped, error: unreadable }, false, 'error', /It is damaged/],
  ['begins', stopped, true, 'off', /not contributing/],
  ['is refused', { connection: 'refused', error }, true, 'error', /No engine/],
  ['is refused without contributing', { connection: 'refused', contributing: false, error }, false, 'error', /No eng/],
])('the badge of a node that %s', (_, change, wished, badge, reason) => {
  expect(badgeOf(node(change), wished)).toEqual({ badge, reason: expect.stringMatching(reason) });
});
