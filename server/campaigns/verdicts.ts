/** Which updates of a cohort count, from what was measured of them. Pure. */
import { medianOf } from '../../shared/train/aggregate/cohort.ts';
import { MAX_NORM_RATIO, MAX_SIMILARITY, MIN_GAIN_SHARE } from './limits.ts';
import type { CampaignEvent } from './state.ts';

export interface Measured {
  unit: string;
  arrivedMs: number;
  /** Euclidean norm of the update. */
  norm: number;
  /** On held-out text, before and after a small step along the update; nats. */
  lossBefore: number;
  lossAfter: number;
  /** By how much the same step lowers the loss on text that the unit was assigned. */
  assignedGain: number;
  /** The cosine with the update that is most like it among those that came before. */
  similarity: number;
}

type Verdicts = (CampaignEvent & { kind: 'judged' })['verdicts'];

/** Compares each with the cohort's medians; of two alone, neither can be the measure of the other's size. */
export function verdictsOf(cohort: readonly Measured[]): Verdicts {
  const norm = medianOf(Float64Array.from(cohort, ({ norm }) => norm));
  const gain = Math.max(0, medianOf(Float64Array.from(cohort, gainOf)));
  return cohort.map((measured) => {
    const { unit, lossBefore, lossAfter } = measured;
    const reason = flawOf(measured, { size: cohort.length, norm, gain });
    return reason === undefined ? { unit, score: { lossBefore, lossAfter } } : { unit, reason };
  });
}

function flawOf(measured: Measured, { size, norm, gain }: { size: number; norm: number; gain: number }) {
  const { similarity, assignedGain } = measured;
  if (!Number.isFinite(measured.lossAfter)) return 'with it the model is not a number any more';
  if (similarity > MAX_SIMILARITY) return 'it is a copy of another update';
  if (size > 2 && measured.norm > MAX_NORM_RATIO * norm) return 'it is far larger than the others';
  if (size > 2 && measured.norm * MAX_NORM_RATIO < norm) return 'it is far smaller than the others';
  if (gainOf(measured) <= 0) return 'it makes the model worse';
  if (gainOf(measured) < MIN_GAIN_SHARE * gain) return 'it adds next to nothing';
  if (assignedGain <= 0) return 'it did not learn from what it was assigned';
  return undefined;
}

function gainOf({ lossBefore, lossAfter }: Measured): number {
  return lossBefore - lossAfter;
}
