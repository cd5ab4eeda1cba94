/** Whether a wallet trains on what it is assigned, from round to round. Pure. */
import { DILIGENCE_DECAY, DILIGENCE_ROUNDS, MAX_DILIGENCES } from './limits.ts';

export interface Diligence {
  /**
   * The exponential average of the signs of what its updates gained on the text that was assigned to it less what they
   * gained on other text, −1 to 1 (as Templar's Gauntlet does, Lidin et al. 2025). Who never saw its text has 0 on average.
   */
  score: number;
  /** Rounds that it is made of. */
  rounds: number;
}

export interface Gains {
  assignedGain: number;
  elsewhereGain: number;
}

export function seenAgain(before: Diligence | undefined, { assignedGain, elsewhereGain }: Gains): Diligence {
  const { score, rounds } = before ?? { score: 0, rounds: 0 };
  const sign = Math.sign(assignedGain - elsewhereGain) || 0;
  // The mean of the first rounds, so that the beginning weighs no more than what follows.
  const kept = Math.min(DILIGENCE_DECAY, rounds / (rounds + 1));
  return { score: kept * score + (1 - kept) * sign, rounds: rounds + 1 };
}

/** Over enough rounds its updates gained on other text as often as on its own. */
export function isIdle({ score, rounds }: Diligence): boolean {
  return rounds >= DILIGENCE_ROUNDS && score <= 0;
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
