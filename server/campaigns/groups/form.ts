import type { LocalData } from '../../../shared/train/campaign/campaign.ts';
import type { CampaignState } from '../state.ts';
import { digest, idOf } from '../units.ts';
import type { Group } from './group.ts';

/**
 * Draws the groups of an attempt: as many as fit, of `groupSize` members to twice that less one. The draw depends on the
 * weights, which nobody knows before the round, so that nobody can arrange to be with whom he wants.
 */
export function formGroups(state: CampaignState, data: LocalData, nowMs: number): Group[] {
  const { campaign, round, attempt, weights } = state;
  const lot = (wallet: string) => idOf(digest(`group ${attempt} ${weights} ${wallet}`));
  const wallets = [...state.workers].toSorted((a, b) => (lot(a) < lot(b) ? -1 : 1)).slice(0, campaign.maxWorkers);
  const count = Math.floor(wallets.length / data.groupSize);
  return Array.from({ length: count }, (_, index) => {
    const members = wallets.filter((_, i) => i % count === index).sort();
    return {
      id: idOf(digest(`group ${campaign.id} ${attempt} ${weights} ${index}`)),
      ...{ round, start: weights, members, stage: 'keys', assignedMs: nowMs, endsMs: nowMs + campaign.graceMs },
      // As many may be missing as of a group of the smallest size.
      threshold: data.threshold + members.length - data.groupSize,
      ...{ keys: {}, shares: {}, updates: {}, agreement: {}, reveal: {} },
    };
  });
}
