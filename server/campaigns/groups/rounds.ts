/** The groups of a campaign's running attempt, as its rounds move them. Pure. */
import type { CampaignEffect, CampaignEvent, CampaignState, Unit } from '../state.ts';
import { advance, asked, fail, type Group, hear, isRunning, wants } from './group.ts';

type Groups = CampaignState['groups'];
type Moved = { groups: Groups; effects: CampaignEffect[] };

/** What is asked of everybody when an attempt begins. */
export function begun(groups: readonly Group[]): Moved {
  return { groups: new Map(groups.map((group) => [group.id, group])), effects: groups.flatMap(effectsOf) };
}

export function heard(groups: Groups, { unit, wallet, saying }: CampaignEvent & { kind: 'said' }): Groups {
  const group = groups.get(unit);
  return group ? replaced(groups, hear(group, wallet, saying)) : groups;
}

/** Whoever comes (back) is asked again what is still wanted of him. */
export function joined(groups: Groups, wallet: string): CampaignEffect[] {
  const group = [...groups.values()].find(({ members }) => members.includes(wallet));
  const { stage } = group ?? {};
  if (!group || stage === 'sum' || stage === 'summed' || stage === 'failed') return [];
  return wants(group, wallet, stage!) ? [{ kind: 'ask', group, wallets: [wallet] }] : [];
}

/** All groups as far as they go by themselves. */
export function settled({ groups, workers, campaign }: CampaignState, nowMs: number): Moved {
  let next = groups;
  const effects: CampaignEffect[] = [];
  for (const group of groups.values()) {
    const moved = advance(group, workers, campaign, nowMs);
    if (moved === group) continue;
    next = replaced(next, moved);
    if (moved.stage !== group.stage) effects.push(...effectsOf(moved));
  }
  return { groups: next, effects };
}

/** The group's sum is there, or will never be. */
export function ended(groups: Groups, event: CampaignEvent & { kind: 'summed' | 'unsummed' }): Moved {
  const group = groups.get(event.unit);
  if (group?.stage !== 'sum') return { groups, effects: [] };
  const moved: Group = event.kind === 'summed' ? { ...group, stage: 'summed' } : fail(group, event.reason);
  return { groups: replaced(groups, moved), effects: effectsOf(moved) };
}

/** The coordinator began anew: nobody could say anything meanwhile, and what it was adding up is not known any more. */
export function resumed({ groups, campaign }: CampaignState, nowMs: number): Moved {
  const effects: CampaignEffect[] = [];
  let next = groups;
  for (const group of groups.values()) {
    if (group.stage === 'sum') effects.push(...effectsOf(group));
    else if (isRunning(group)) {
      next = replaced(next, { ...group, endsMs: Math.max(group.endsMs, nowMs + campaign.graceMs) });
    }
  }
  return { groups: next, effects };
}

/** A group's sum as a unit like others: it is scored, joined and paid as one. */
export function unitOf(group: Group, attempt: number, update: Unit['update'] & object): Unit {
  const { id, round, start, assignedMs, updates } = group;
  return {
    ...{ id, wallet: '', round, attempt, start, shard: 0, seed: 0, assignedMs, status: 'submitted', update },
    members: Object.entries(updates).map(([wallet, { arrivedMs }]) => ({ wallet, arrivedMs })),
  };
}

/** What is to be done when a group has come to its stage. */
function effectsOf(group: Group): CampaignEffect[] {
  const late = Object.keys(group.shares).filter((wallet) => !Object.hasOwn(group.updates, wallet));
  switch (group.stage) {
    case 'sum':
      return [{ kind: 'sum', group }];
    case 'summed':
      return [{ kind: 'disband', group, wallets: [], reason: '' }];
    case 'failed':
      return [{ kind: 'disband', group, wallets: [...group.members], reason: group.reason ?? '' }];
    case 'agreement':
      return [
        { kind: 'ask', group, wallets: asked(group) },
        ...(late.length > 0 ? [{ kind: 'exclude' as const, group, wallets: late }] : []),
      ];
    default:
      return [{ kind: 'ask', group, wallets: asked(group) }];
  }
}

function replaced(groups: Groups, group: Group): Groups {
  return groups.get(group.id) === group ? groups : new Map(groups).set(group.id, group);
}
