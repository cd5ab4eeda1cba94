/** Which way a link goes, by what was measured. Pure. */

export interface RoundTrips {
  /** Milliseconds to the neighbour and back, smoothed; absent until measured. */
  directMs?: number;
  /** The same by way of the coordinator. */
  relayMs?: number;
}

/** A direct link spares the coordinator the traffic, so it has to be clearly slower to be left… */
const SLOWER_RATIO = 2;
const SLOWER_MS = 20;
/** Of a new measurement in the smoothed one (RFC 6298). */
const WEIGHT = 1 / 8;

/** `now`: whether it goes directly. To be taken up again, a link must be no slower than the relay. */
export function prefersDirect({ directMs, relayMs }: RoundTrips, now: boolean): boolean {
  if (directMs === undefined || relayMs === undefined) return true;
  return now ? directMs <= Math.max(SLOWER_RATIO * relayMs, relayMs + SLOWER_MS) : directMs <= relayMs + SLOWER_MS / 2;
}

export function smoothed(before: number | undefined, sampleMs: number): number {
  return before === undefined ? sampleMs : before + WEIGHT * (sampleMs - before);
}
