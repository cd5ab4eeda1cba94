/** What the first stage measures of a job that drafts: how long a row is under way, how often drafts are right. */
import { LEAST_COST_RATIO, MAX_LOOKUP_TOKENS } from '../limits.ts';

/** Weight of the newest of what is averaged. */
const SHARE = 1 / 8;
/** What a draft is taken for before anything is known. */
const PRIOR_CHANCE = 0.5;
/** With each token, what is known drifts back to that, so that what was given up is tried again. */
const DRIFT = 1 / 256;

export interface Pace {
  /** A draft after a match of `order` tokens turned out right or wrong. */
  judged(order: number, right: boolean): void;
  /** The row at this position was handed on. */
  sent(position: number, nowMs: number): void;
  /** The token that follows from this row has come back. */
  returned(position: number, nowMs: number): void;
  chance(order: number): number;
  /** Time of one more row over that of a round trip. */
  costRatio(): number;
}

export function createPace(): Pace {
  const chances = Array<number>(MAX_LOOKUP_TOKENS + 1).fill(PRIOR_CHANCE);
  const sentMs = new Map<number, number>();
  let roundTripMs = 0;
  let rowMs = 0;
  let last: { position: number; sentMs: number; returnedMs: number } | undefined;

  const orderOf = (order: number) => Math.min(order, MAX_LOOKUP_TOKENS);

  return {
    judged(order, right) {
      const chance = chances[orderOf(order)]!;
      chances[orderOf(order)] = chance + SHARE * ((right ? 1 : 0) - chance);
    },
    sent(position, nowMs) {
      sentMs.set(position, nowMs);
    },
    returned(position, nowMs) {
      chances.forEach((chance, order) => {
        chances[order] = chance + DRIFT * (PRIOR_CHANCE - chance);
      });
      const begunMs = sentMs.get(position);
      for (const old of sentMs.keys()) if (old <= position) sentMs.delete(old);
      if (begunMs === undefined) return;
      const tripMs = nowMs - begunMs;
      roundTripMs = roundTripMs === 0 ? tripMs : roundTripMs + SHARE * (tripMs - roundTripMs);
      if (last?.position === position - 1) {
        const gapMs = nowMs - last.returnedMs;
        // Rows that came out much further apart than they went in were held up by each other: that is what one takes.
        const isHeldUp = gapMs > 2 * (begunMs - last.sentMs);
        rowMs = isHeldUp ? rowMs + SHARE * (gapMs - rowMs) : Math.min(rowMs, gapMs);
      }
      last = { position, sentMs: begunMs, returnedMs: nowMs };
    },
    chance: (order) => chances[orderOf(order)]!,
    // A row costs others something even where it costs this job nothing.
    costRatio: () => Math.max(LEAST_COST_RATIO, roundTripMs > 0 ? rowMs / roundTripMs : 0),
  };
}
