/** Whether a wallet trains on what it is assigned, from round to round. Pure. */
import { DILIGENCE_DECAY, DILIGENCE_ROUNDS, MAX_DILIGENCES, MIN_DILIGENCE } from './limits.ts';

export interface Diligence {
  /**
   * By how much more its updates gained on the text that was assigned to it than on other text, as a share of what the
   * cohort's median gains more: an exponential average, −1 to 1. Who trains has about 1, who never saw its text 0
   * (after Templar's Gauntlet, Lidin et al. 2025).
   */
  score: number;
  /** Rounds that it is made of. */
  rounds: number;
}

/** `share`: of the median, in this round. */
export function seenAgain(before: Diligence | undefined, share: number): Diligence {
  const { score, rounds } = before ?? { score: 0, rounds: 0 };
  const seen = Number.isFinite(share) ? Math.max(-1, Math.min(1, share)) : -1;
  // The mean of the first rounds, so that the beginning weighs no more than what follows.
  const kept = Math.min(DILIGENCE_DECAY, rounds / (rounds + 1));
  return { score: kept * score + (1 - kept) * seen, rounds: rounds + 1 };
}

/** Over enough rounds its updates gained hardly more on its own text than on other text. */
export function isIdle({ score, rounds }: Diligence): boolean {
  return rounds >= DILIGENCE_ROUNDS && score < MIN_DILIGENCE;
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
