import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import type { TrainingResult } from '../ledger/types.ts';
import type { Unit } from './state.ts';
import { memberUnitId } from './units.ts';

const MICRO = 1e6;
const MAX_U32 = 2 ** 32 - 1;

/** Of an accepted unit, or of each member of an accepted sum, as if all had been as good as their sum. */
export function receiptsOf(campaign: Campaign, unit: Unit): TrainingResult[] {
  if (!unit.members) return [receiptOfUnit(campaign, unit)];
  return unit.members.map(({ wallet, arrivedMs }) =>
    receiptOfUnit(campaign, {
      ...{ ...unit, id: memberUnitId(unit.id, wallet), wallet },
      update: { ...unit.update!, arrivedMs },
    }),
  );
}

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
