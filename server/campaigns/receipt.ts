import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import type { TrainingResult } from '../ledger/types.ts';
import type { Unit } from './state.ts';

const MICRO = 1e6;
const MAX_U32 = 2 ** 32 - 1;

/** What the ledger is told of an accepted unit: always the same, so that it can be told again. */
export function receiptOfUnit(
  campaign: Campaign,
  { id, wallet, round, assignedMs, update, score }: Unit,
): TrainingResult {
  const micro = (nats: number) => Math.min(MAX_U32, Math.max(0, Math.round(nats * MICRO)));
  return {
    ...{ unit: id, wallet, campaign: campaign.id, round, sequences: campaign.batch },
    ...{ rank: score!.rank, ranked: score!.ranked },
    ...{ lossBeforeMicroNats: micro(score!.lossBefore), lossAfterMicroNats: micro(score!.lossAfter) },
    latencyMs: Math.min(MAX_U32, Math.max(0, update!.arrivedMs - assignedMs)),
    timeMs: update!.arrivedMs,
  };
}
