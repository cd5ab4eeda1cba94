/** Which updates of a cohort count, from what was measured of them. Pure. */
import { medianOf } from '../../shared/train/aggregate/cohort.ts';
import { type Diligence, type Gains, isIdle, seenAgain } from './diligence.ts';
import type { Likeness } from './likeness.ts';
import { MAX_COPIED, MAX_NORM_RATIO, MIN_GAIN_SHARE } from './limits.ts';
import type { CampaignEvent } from './state.ts';

/** A small step along the update alone is taken before its gains are measured; losses are nats. */
export interface Measured extends Likeness, Gains {
  unit: string;
  wallet: string;
  /** Euclidean norm of the update. */
  norm: number;
  /** On held-out text, before and after the step. */
  lossBefore: number;
  lossAfter: number;
}

type Verdicts = (CampaignEvent & { kind: 'judged' })['verdicts'];

/**
 * Compares each with the cohort's medians (of two alone, neither can be the measure of the other's size), and with what
 * its wallet is known for.
 */
export function verdictsOf(cohort: readonly Measured[], known: ReadonlyMap<string, Diligence>): Verdicts {
  const norm = medianOf(Float64Array.from(cohort, ({ norm }) => norm));
  const gain = Math.max(0, medianOf(Float64Array.from(cohort, gainOf)));
  return cohort.map((measured) => {
    const { unit, wallet, lossBefore, lossAfter } = measured;
    const diligence = seenAgain(known.get(wallet), measured);
    const reason = flawOf(measured, diligence, { size: cohort.length, norm, gain });
    return { unit, diligence, ...(reason === undefined ? { score: { lossBefore, lossAfter } } : { reason }) };
  });
}

interface Typical {
  size: number;
  norm: number;
  gain: number;
}

function flawOf(measured: Measured, diligence: Diligence, { size, norm, gain }: Typical): string | undefined {
  if (!Number.isFinite(measured.lossAfter)) return 'with it the model is not a number any more';
  if (measured.copied > MAX_COPIED) return 'it is a copy of another update';
  if (measured.published > MAX_COPIED) return 'it repeats what earlier rounds found';
  if (size > 2 && measured.norm > MAX_NORM_RATIO * norm) return 'it is far larger than the others';
  if (size > 2 && measured.norm * MAX_NORM_RATIO < norm) return 'it is far smaller than the others';
  if (gainOf(measured) <= 0) return 'it makes the model worse';
  if (gainOf(measured) < MIN_GAIN_SHARE * gain) return 'it adds next to nothing';
  if (measured.assignedGain <= 0) return 'it did not learn from what it was assigned';
  if (isIdle(diligence)) return 'over many rounds nothing shows that it learns from what it is assigned';
  return undefined;
}

function gainOf({ lossBefore, lossAfter }: Measured): number {
  return lossBefore - lossAfter;
}
