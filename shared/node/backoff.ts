import { RECONNECT_FIRST_MS, RECONNECT_LAST_MS } from './limits.ts';

/** Wait before attempt number `attempt` (from 0); `random` in [0, 1) spreads nodes that dropped together. */
export function reconnectDelayMs(attempt: number, random: number): number {
  const fullMs = Math.min(RECONNECT_LAST_MS, RECONNECT_FIRST_MS * 2 ** Math.min(attempt, 30));
  return fullMs * (0.5 + 0.5 * random);
}
