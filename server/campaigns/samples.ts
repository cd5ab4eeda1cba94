/** Which text tells whether an update learned from what its unit was assigned: some of that, and as much of another shard. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../shared/bytes/sha256-sync.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { type Campaign, publicDataOf } from '../../shared/train/campaign/campaign.ts';
import { unitBatches } from '../../shared/train/campaign/unit.ts';
import { type Batch, randomBatch } from '../../shared/train/data.ts';
import { SAMPLED_BATCHES } from './limits.ts';
import type { Unit } from './state.ts';

export interface Samples {
  assigned: Batch[];
  elsewhere: Batch[];
}

/**
 * What the choice depends on: all updates of the cohort. So nobody knows before he sends which of his batches will be
 * looked at, and a second look at the same cohort sees the same.
 */
export function lotOf(units: readonly Pick<Unit, 'update'>[]): number {
  const hashes = units.map(({ update }) => update!.hash).sort();
  return new DataView(sha256(utf8ToBytes(hashes.join(' '))).buffer).getUint32(0, true);
}

export function samplesOf(
  campaign: Campaign,
  training: Int32Array,
  { shard, seed }: Pick<Unit, 'shard' | 'seed'>,
  lot: number,
): Samples {
  const random = seededRandom((lot ^ seed) >>> 0);
  const all = [...unitBatches(campaign, shardOf(campaign, training, shard), seed)];
  const assigned: Batch[] = [];
  while (assigned.length < SAMPLED_BATCHES && all.length > 0) assigned.push(...all.splice(random() % all.length, 1));
  const other = shardOf(campaign, training, (shard + 1) % publicDataOf(campaign).shards);
  return { assigned, elsewhere: assigned.map(() => randomBatch(other, campaign, random)) };
}

/** The tokens of a shard of the training text. */
export function shardOf(campaign: Campaign, training: Int32Array, shard: number): Int32Array {
  const { shardTokens } = publicDataOf(campaign);
  return training.subarray(shard * shardTokens, (shard + 1) * shardTokens);
}
