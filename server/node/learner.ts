import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { requireBudget } from '../../shared/train/campaign/memory.ts';
import { CampaignWorker, type Learner } from '../../shared/train/campaign/worker.ts';
import { createNodeEngine } from '../runtime/node-engine.ts';

/** Trains with onnxruntime-node. Throws MEMORY_BUDGET_EXCEEDED, ENGINE_FAILED. */
export async function createNodeLearner(
  campaign: Campaign,
  { budgetBytes, ...options }: { budgetBytes: number; threads?: number },
): Promise<Learner> {
  requireBudget(campaign, budgetBytes);
  return CampaignWorker.create(createNodeEngine(options), campaign);
}
