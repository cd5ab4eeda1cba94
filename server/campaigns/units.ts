import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../shared/bytes/sha256-sync.ts';
import { UNIT_BYTES } from '../../shared/ledger/training-receipt.ts';
import { publicDataOf } from '../../shared/train/campaign/campaign.ts';
import type { CampaignState, Unit } from './state.ts';

/** The wallet's unit of the running attempt: follows from the journal, so that a replay finds the same. */
export function unitId({ campaign, attempt, weights }: CampaignState, wallet: string): string {
  return idOf(digest(`unit ${campaign.id} ${attempt} ${weights} ${wallet}`));
}

/** What a member of a group is paid for. */
export function memberUnitId(group: string, wallet: string): string {
  return idOf(digest(`member ${group} ${wallet}`));
}

export function idOf(digest: Uint8Array): string {
  return bytesToHex(digest.subarray(0, UNIT_BYTES));
}

/** `index`: how many there are already in this attempt. Shards rotate, so that all of the text is learned from. */
export function newUnit(state: CampaignState, wallet: string, index: number, nowMs: number): Unit {
  const { campaign, round, attempt, weights } = state;
  const seed = new DataView(digest(`seed ${campaign.seed} ${attempt} ${index}`).buffer).getUint32(0, true);
  return {
    ...{ id: unitId(state, wallet), wallet, round, attempt, start: weights },
    ...{ shard: (index + round) % publicDataOf(campaign).shards, seed, assignedMs: nowMs, status: 'assigned' },
  };
}

export function digest(text: string): Uint8Array<ArrayBuffer> {
  return sha256(utf8ToBytes(text));
}
