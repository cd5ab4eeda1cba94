import type { NodeState } from '../../shared/node/types.ts';
import type { Notice } from '../messages.ts';

type Badge = Omit<Extract<Notice, { type: 'badge' }>, 'type'>;

/** What the toolbar icon says, and the sentence behind it. `wished`: the person switched contributing on. */
export function badgeOf({ connection, error, contributing, activity }: NodeState, wished: boolean): Badge {
  if (error?.code === 'WALLET_LOCKED') return { badge: 'locked', reason: error.message };
  if (error?.code === 'WALLET_UNREADABLE' || error?.code === 'WALLET_NOT_STORED')
    return { badge: 'error', reason: error.message };
  if (connection === 'refused')
    return { badge: 'error', reason: error?.message ?? 'the coordinator refused the connection' };
  if (wished && !contributing && error) return { badge: 'error', reason: error.message };
  if (!contributing) return { badge: 'off', reason: 'not contributing' };
  if (connection !== 'connected') return { badge: 'waiting', reason: 'connecting to the coordinator' };
  switch (activity.kind) {
    case 'ready':
    case 'working':
      return {
        badge: 'contributing',
        reason: `contributing part ${activity.stage + 1} of ${activity.stages} of ${activity.model}`,
      };
    case 'loading':
      return { badge: 'waiting', reason: `loading a part of ${activity.model}` };
    case 'measuring':
      return { badge: 'waiting', reason: 'measuring this computer' };
    default:
      return { badge: 'waiting', reason: 'waiting for work' };
  }
}
