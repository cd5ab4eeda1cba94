import { AiloError } from '../../errors/index.ts';
import { parameterCount } from '../model/model.ts';
import { type Campaign, modelOf } from './campaign.ts';

/** Weights thrice (canonical, local, change), feedback twice, AdamW's two, gradients, and the engine's own copies. */
const COPIES = 12;

/** About what training in a campaign takes, bytes: every array of the model's size, without the activations of a batch. */
export function learnerBytes(campaign: Campaign): number {
  return COPIES * 4 * parameterCount(modelOf(campaign));
}

/** Throws MEMORY_BUDGET_EXCEEDED, before anything is loaded. */
export function requireBudget(campaign: Campaign, budgetBytes: number): void {
  const neededBytes = learnerBytes(campaign);
  if (neededBytes > budgetBytes) throw AiloError.of('MEMORY_BUDGET_EXCEEDED', { neededBytes, budgetBytes });
}
