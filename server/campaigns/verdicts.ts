/** Which updates of a cohort count, from what was measured of them. Pure. */
import { medianOf } from '../../shared/train/aggregate/cohort.ts';
import { type Diligence, isIdle, seenAgain } from './diligence.ts';
import type { Likeness } from './likeness.ts';
import { MAX_COPIED, MAX_HARM_SHARE, MAX_NORM_RATIO, MIN_GAIN_SHARE } from './limits.ts';
import type { CampaignEvent } from './state.ts';

/** A small step along the update alone is taken before its gains are measured; losses and gains are nats. */
export interface Measured extends Likeness {
  unit: string;
  wallet: string;
  /** Euclidean norm of the update. */
  norm: number;
  /** On held-out text, before and after the step. */
  lossBefore: number;
  lossAfter: number;
  /** By how much the step lowers the loss on text that the unit was assigned, and on as much of another shard. */
  assignedGain: number;
  elsewhereGain: number;
}

type Verdicts = (CampaignEvent & { kind: 'judged' })['verdicts'];

/** The cohort's medians: fewer than half who lie cannot make them larger than an honest one's. */
interface Typical {
  size: number;
  norm: number;
  gain: number;
  advantage: number;
}

/**
 * Compares each with the cohort's medians (of two alone, neither can be the measure of the other's size), and with what
 * its wallet is known for.
 */
export function verdictsOf(cohort: readonly Measured[], known: ReadonlyMap<string, Diligence>): Verdicts {
  const median = (of: (one: Measured) => number) => medianOf(Float64Array.from(cohort, of));
  const typical = {
    ...{ size: cohort.length, norm: median(({ norm }) => norm) },
    ...{ gain: Math.max(0, median(gainOf)), advantage: median(advantageOf) },
  };
  return cohort.map((measured) => {
    const { unit, lossBefore, lossAfter } = measured;
    const diligence = diligenceOf(measured, typical, known);
    const reason = flawOf(measured, typical, diligence);
    const verdict = reason === undefined ? { score: { lossBefore, lossAfter } } : { reason };
    return { unit, ...verdict, ...(diligence && { diligence }) };
  });
}

/** As it was where nothing tells who learned from what, as in the first round, in which all learn the same. */
function diligenceOf(measured: Measured, { gain, advantage }: Typical, known: ReadonlyMap<string, Diligence>) {
  const before = known.get(measured.wallet);
  if (!(advantage > 0 && gain > 0)) return before;
  return seenAgain(before, { own: advantageOf(measured) / gain, median: advantage / gain });
}

function flawOf(measured: Measured, { size, norm, gain }: Typical, diligence?: Diligence): string | undefined {
  if (!Number.isFinite(measured.lossAfter)) return 'with it the model is not a number any more';
  if (measured.copied > MAX_COPIED) return 'it is a copy of another update';
  if (measured.published > MAX_COPIED) return 'it repeats what earlier rounds found';
  if (size > 2 && measured.norm > MAX_NORM_RATIO * norm) return 'it is far larger than the others';
  if (size > 2 && measured.norm * MAX_NORM_RATIO < norm) return 'it is far smaller than the others';
  // A little less than nothing is chance, on so little text.
  if (measured.lossBefore - measured.lossAfter < -MAX_HARM_SHARE * gain) return 'it makes the model worse';
  if (gainOf(measured) <= MIN_GAIN_SHARE * gain) return 'it adds next to nothing';
  if (measured.assignedGain <= 0) return 'it did not learn from what it was assigned';
  if (diligence && isIdle(diligence))
    return 'over several rounds nothing shows that it learns from what it is assigned';
  return undefined;
}

/** On all text that was looked at. */
function gainOf({ lossBefore, lossAfter, assignedGain }: Measured): number {
  return lossBefore - lossAfter + assignedGain;
}

function advantageOf({ assignedGain, elsewhereGain }: Measured): number {
  return assignedGain - elsewhereGain;
}
