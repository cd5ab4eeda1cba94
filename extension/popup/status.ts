/** What the popup says about the node, in a word and in a sentence. */

import { inCatalogue } from '../../shared/model/catalogue.ts';
import type { Activity, NodeState } from '../../shared/node/types.ts';
import type { ModelListing } from '../../shared/protocol/messages.ts';
import type { AppState } from '../state.ts';
import { count } from '../ui/format.ts';

export interface Status {
  tone: 'off' | 'waiting' | 'on' | 'error';
  label: string;
}

/** The word in the header. */
export function statusOf({ connection, contributing, activity, training, error }: NodeState): Status {
  if (connection === 'stopped' && error) {
    return error.code === 'WALLET_LOCKED' ? { tone: 'off', label: 'Locked' } : { tone: 'error', label: 'No wallet' };
  }
  if (connection === 'refused') return { tone: 'error', label: 'Refused' };
  if (connection !== 'connected') return { tone: 'waiting', label: 'Connecting…' };
  if (!contributing) return { tone: 'off', label: 'Connected' };
  if (activity.kind === 'working' || training.kind === 'learning') return { tone: 'on', label: 'Computing' };
  if (activity.kind === 'ready') return { tone: 'on', label: 'Contributing' };
  return { tone: 'waiting', label: activity.kind === 'loading' ? 'Loading…' : 'Waiting' };
}

/** The sentence under the tabs while the network cannot be used. */
export function troubleOf({ connection, error }: NodeState): string | undefined {
  if (connection === 'connected' || !error) return undefined;
  return connection === 'connecting' ? `${error.message} Trying again…` : error.message;
}

/** Why the username that was asked for cannot be had. */
export function usernameRefusal({ usernameError: error }: Pick<AppState, 'usernameError'>): string | undefined {
  return error?.code === 'USERNAME_TAKEN' || error?.code === 'USERNAME_INVALID' ? error.message : undefined;
}

/** The sentence beside the contribute switch. `wished`: the switch is on. */
export function contributionOf(node: NodeState, wished: boolean): string {
  if (wished && !node.contributing && node.error) return `Contributing could not begin. ${node.error.message}`;
  if (!wished)
    return node.activity.kind === 'off' ? 'Nothing is computed for others.' : 'Finishing the current answer, then off.';
  if (node.connection !== 'connected') return 'Waiting for the coordinator.';
  if (node.activity.kind === 'waiting' && node.training.kind === 'learning') return 'Training a model with others.';
  return activitySentence(node.activity);
}

function activitySentence(activity: Activity): string {
  switch (activity.kind) {
    case 'off':
    case 'measuring':
      return 'Measuring how fast this computer is.';
    case 'waiting':
      return 'Waiting: no model needs this computer at the moment.';
    case 'loading':
      return 'Loading a part of a model; it stays on this device for next time.';
    case 'ready':
      return 'Ready: the next answer comes through here.';
    case 'working':
      return `Computing ${count(activity.jobs, 'answer')} right now.`;
  }
}

/** Whether a model can be asked, in words for the picker. */
export function readinessOf({ ready, stages }: ModelListing): string {
  return ready === stages ? 'ready' : `${ready} of ${stages} parts loaded`;
}

/** On what terms the authors of a model of the catalogue give it, in words. */
export function termsOf({ id, name }: ModelListing): string | undefined {
  const entry = inCatalogue(id);
  return entry?.source && `${name} is used on its authors’ terms: ${entry.licence}.`;
}
