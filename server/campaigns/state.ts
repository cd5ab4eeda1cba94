/** A campaign as its rounds see it. Plain data: the same events make the same state, at any time. */
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import type { Diligence } from './diligence.ts';
import type { Group, Saying } from './groups/group.ts';

export type Phase =
  /** For enough workers. */
  'waiting' | 'training' | 'validating' | 'aggregating' | 'finished';

/** What one wallet is to do in one round. */
export interface Unit {
  /** 128 bits, hex. */
  id: string;
  /** Empty for the sum of a group. */
  wallet: string;
  /** Of a group's sum: who is in it, and when each one's part arrived. */
  members?: readonly { wallet: string; arrivedMs: number }[];
  round: number;
  /** Which beginning of the round it belongs to. */
  attempt: number;
  /** SHA-256 of the weights it starts from, hex. */
  start: string;
  /** The shard it takes its sequences from. */
  shard: number;
  /** Of the choice of its sequences. */
  seed: number;
  assignedMs: number;
  /**
   * assigned → submitted → accepted or refused. `expired`: it came to nothing in time; an update may still
   * follow, for less weight, until it is too late.
   */
  status: 'assigned' | 'expired' | 'submitted' | 'refused' | 'accepted';
  update?: Update;
  /** Why it was refused. */
  reason?: string;
  score?: Score;
  /** The round whose weights it changed; from then on it is to be paid. */
  counted?: number;
}

export interface Update {
  /** SHA-256 of the bytes, hex. */
  hash: string;
  bytes: number;
  /** Euclidean norm of what it sends, and how many values. */
  norm: number;
  values: number;
  arrivedMs: number;
}

export interface Score {
  lossBefore: number;
  /** After a small step along this update alone. */
  lossAfter: number;
  /** From 1, the best. */
  rank: number;
  ranked: number;
}

export interface CampaignState {
  campaign: Campaign;
  phase: Phase;
  paused: boolean;
  /** Of the next or running round, from 0: so many have changed the weights. */
  round: number;
  /** Counts what was begun: a round that came to nothing is begun anew, with other units. */
  attempt: number;
  /** Of the canonical weights, hex. */
  weights: string;
  /** Wallets that are there. */
  workers: ReadonlySet<string>;
  /** Of the running attempt, where updates are summed before anybody sees them. */
  groups: ReadonlyMap<string, Group>;
  /** Of this round and of those before that may still be late, or unpaid. */
  units: ReadonlyMap<string, Unit>;
  /** Of the weights before each round that was joined, on its held-out text, nats; the last MAX_LOSSES. */
  losses: readonly { round: number; loss: number }[];
  /** By wallet, those that were seen last at the end. */
  diligence: ReadonlyMap<string, Diligence>;
  /** When training ends at the latest. */
  endsMs?: number;
}

export interface Verdict {
  unit: string;
  /** Of an update that counts. */
  score?: Pick<Score, 'lossBefore' | 'lossAfter'>;
  /** Of one that doesn't. */
  reason?: string;
  /** Of its wallet, this round included. */
  diligence?: Diligence;
}

/** What happens to a campaign, in the order of its journal. */
export type CampaignEvent =
  | { kind: 'created'; campaign: Campaign; weights: string }
  | { kind: 'joined'; wallet: string }
  | { kind: 'left'; wallet: string }
  | { kind: 'submitted'; unit: string; update: Update }
  | { kind: 'judged'; verdicts: Verdict[] }
  | { kind: 'aggregated'; weights: string; delta: string }
  /** A member of a group answered what its stage asked for. */
  | { kind: 'said'; unit: string; wallet: string; saying: Saying }
  | { kind: 'summed'; unit: string; update: Update }
  | { kind: 'unsummed'; unit: string; reason: string }
  | { kind: 'paused'; paused: boolean }
  /** The coordinator began anew: nobody is there, and what was under way is asked for again. */
  | { kind: 'restarted' }
  | { kind: 'tick' };

/** What is to be done about it. All of it may be asked for twice, and must then change nothing. */
export type CampaignEffect =
  | { kind: 'assign'; unit: Unit }
  | { kind: 'validate'; units: Unit[] }
  | { kind: 'refuse'; unit: Unit }
  | { kind: 'aggregate'; units: { unit: Unit; staleness: number }[] }
  | { kind: 'publish'; round: number; weights: string; delta: string }
  | { kind: 'pay'; unit: Unit }
  /** What a group's stage asks of these members. */
  | { kind: 'ask'; group: Group; wallets: string[] }
  /** These sent nothing in time and are not in the sum. */
  | { kind: 'exclude'; group: Group; wallets: string[] }
  | { kind: 'sum'; group: Group }
  /** The group is over; for these in vain. */
  | { kind: 'disband'; group: Group; wallets: string[]; reason: string };
