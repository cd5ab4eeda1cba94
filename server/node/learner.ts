import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { DiskLearner } from '../../shared/train/campaign/disk-learner.ts';
import { placeOf } from '../../shared/train/campaign/memory.ts';
import { CampaignWorker, type Learner } from '../../shared/train/campaign/worker.ts';
import { openDiskFiles, roomFor } from '../runtime/disk-files.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';

export interface NodeLearnerOptions {
  budgetBytes: number;
  /** For models larger than that. */
  folder: string;
  /** What they may take of the disk; absent: as much as there is. */
  diskBytes?: number;
  threads?: number;
}

/** Trains with onnxruntime-node. Throws MEMORY_BUDGET_EXCEEDED, DISK_BUDGET_EXCEEDED, ENGINE_FAILED, STATE_NOT_STORED. */
export async function createNodeLearner(
  campaign: Campaign,
  { budgetBytes, folder, diskBytes, ...options }: NodeLearnerOptions,
): Promise<Learner> {
  const place = placeOf(campaign, { memoryBytes: budgetBytes, diskBytes: diskBytes ?? (await roomFor(folder)) });
  const engine = createNodeEngine(options);
  if (place === 'memory') return CampaignWorker.create(engine, campaign);
  return DiskLearner.create(engine, await openDiskFiles(folder), campaign);
}
