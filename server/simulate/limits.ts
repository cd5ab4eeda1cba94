/** Every limit of simulated networks, in one place. */

/** All parts must be loaded within this. */
export const READY_TIMEOUT_MS = 600_000;
/** A process of node programs answers its parent within this. */
export const PROCESS_TIMEOUT_MS = 60_000;
/** Node programs that stand by so that others can be killed. */
export const MAX_KILLS = 64;
export const MAX_PROCESSES = 16;
/** What each node program offers: the widths are scaled down, so that every part fits. */
export const NODE_BUDGET_BYTES = 64 * 2 ** 20;
/** Linux resends a lost TCP segment no earlier than this after the round trip (tcp_rto_min). */
export const MIN_RESEND_MS = 200;
/** Losses of one message in a row that are counted; the wait doubles with each (RFC 6298 §5.5). */
export const MAX_RESENDS = 6;
