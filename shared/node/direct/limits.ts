/** Every limit of direct links, in one place. */

/** Connections kept at once: more neighbours than the jobs of one stage have. */
export const MAX_PEERS = 16;
/** A connection that did not come about within this is given up, and tried again later. */
export const CONNECT_TIMEOUT_MS = 15_000;
/** Between two attempts: doubles from the first to the last. */
export const RETRY_FIRST_MS = 1_000;
export const RETRY_LAST_MS = 60_000;
/** While a job may use it, a link is measured so often, and the way over the relay with every fifth time. */
export const PING_EVERY_MS = 2_000;
export const PINGS_PER_RELAY_PING = 5;
/** A peer that was silent for so long, though it was pinged, has stalled: the connection is closed. */
export const STALL_MS = 5_000;
/** A connection that no job needs is kept for the next for so long. */
export const PEER_IDLE_MS = 60_000;
