import { seededRandom } from '../../sampler/random.ts';
import { type Batch, randomBatch } from '../data.ts';
import type { Campaign } from './campaign.ts';

/** The batches of a work unit, one for each local step: whoever knows its seed and shard finds the same. */
export function* unitBatches(
  { localSteps, batch, sequence }: Pick<Campaign, 'localSteps' | 'batch' | 'sequence'>,
  shard: Int32Array,
  seed: number,
): Generator<Batch, void, void> {
  const random = seededRandom(seed);
  for (let step = 0; step < localSteps; step++) yield randomBatch(shard, { batch, sequence }, random);
}
