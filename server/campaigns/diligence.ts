/** Whether a wallet trains on what it is assigned, from round to round. Pure. */
import { DILIGENCE_DECAY, MAX_DILIGENCES, MIN_DILIGENCE, MIN_EVIDENCE } from './limits.ts';

/**
 * An update's *advantage* is what it gains on the text that was assigned to it less what it gains on other text (after
 * Templar's Gauntlet, Lidin et al. 2025). Over the rounds, with the latest weighing most, these are the sums of a line
 * through zero that is fitted to a wallet's advantages over the cohort's medians: its slope is learned / expected. Who
 * trains has about 1, who never saw its text 0, whatever else it sends.
 */
export interface Diligence {
  learned: number;
  /** How much can be told: grows in rounds in which the median has a clear advantage. */
  expected: number;
}

/** In one round. Both in shares of what the median gains at all, whose noise is then much the same in all rounds. */
export interface Advantage {
  own: number;
  median: number;
}

export function seenAgain(before: Diligence | undefined, { own, median }: Advantage): Diligence {
  const { learned, expected } = before ?? { learned: 0, expected: 0 };
  const told = Number.isFinite(own) ? Math.max(-median, Math.min(median, own)) : -median;
  return {
    learned: DILIGENCE_DECAY * learned + told * median,
    expected: DILIGENCE_DECAY * expected + median * median,
  };
}

/** Its updates gained hardly more on its own text than on other text. */
export function isIdle({ learned, expected }: Diligence): boolean {
  return expected >= MIN_EVIDENCE && learned < MIN_DILIGENCE * expected;
}

/** With the wallet's at the end, and without those that were not seen for longest where there are too many. */
export function remember(all: ReadonlyMap<string, Diligence>, wallet: string, diligence: Diligence) {
  const next = new Map(all);
  next.delete(wallet);
  next.set(wallet, diligence);
  for (const oldest of next.keys()) {
    if (next.size <= MAX_DILIGENCES) break;
    next.delete(oldest);
  }
  return next;
}
