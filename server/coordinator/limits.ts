/** Every bound of the coordinator that is not part of the protocol (shared/protocol/limits.ts), in one place. */

/** Sockets that may be open at once, authenticated or not. A school or a simulation shares one address. */
export const MAX_SOCKETS = 4_096;
export const MAX_SOCKETS_PER_ADDRESS = 1_024;

/** Sessions kept at once, connected or within their grace. */
export const MAX_SESSIONS = 4_096;

/** A token bucket: `capacity` at once, refilled by `perSecond`. */
export interface BucketRule {
  capacity: number;
  perSecond: number;
}
/** New sockets of one network address. */
export const CONNECTIONS_PER_ADDRESS: BucketRule = { capacity: 1_024, perSecond: 10 };
/** Messages of one wallet: the last stage of several fast jobs sends two a token. */
export const MESSAGES_PER_WALLET: BucketRule = { capacity: 20_000, perSecond: 5_000 };
/** Bytes of one wallet: a long prompt's hidden states come in a burst. */
export const BYTES_PER_WALLET: BucketRule = { capacity: 256 * 2 ** 20, perSecond: 128 * 2 ** 20 };
/** `generate`, which costs every stage work. */
export const REQUESTS_PER_WALLET: BucketRule = { capacity: 20, perSecond: 0.5 };
/** `offer`, which may re-plan a room. */
export const OFFERS_PER_WALLET: BucketRule = { capacity: 20, perSecond: 0.5 };
/** `signal`, about direct links: an offer or an answer for each neighbour now and then, and pings. */
export const SIGNALS_PER_WALLET: BucketRule = { capacity: 128, perSecond: 8 };
/** Messages that break a rule; whoever runs out is disconnected. */
export const ABUSES_PER_WALLET: BucketRule = { capacity: 20, perSecond: 0.1 };
/** Buckets remembered per kind; beyond it the longest untouched is forgotten. */
export const MAX_BUCKETS = 16_384;

/** A node that failed a model is not asked for it again for so long, doubling with each failure. */
export const BAN_MS = 15_000;
export const MAX_BAN_MS = 3_600_000;
/** The same for one that held answers up, each of them for a minute. */
export const STALL_BAN_MS = 600_000;
/** Loading may take a fixed time plus the stage's bytes at this speed, before the node counts as failed. */
export const LOAD_BASE_MS = 120_000;
export const LOAD_BYTES_PER_MS = 250;

/** Sequences of a room at once, each with KV caches of its own: as many as fit `CACHE_BYTES`, but not fewer or more than these. */
export const MIN_SEQUENCES = 4;
export const MAX_SEQUENCES = 16;
/** What all caches of a model may take on all nodes together, or as much as its weights if that is more. */
export const CACHE_BYTES = 2 ** 30;
/** How long a measured pace of a holder counts: one that was slow is tried again. */
export const PACE_AGE_MS = 60_000;
/** Of a new measurement in the smoothed one (RFC 6298). */
export const PACE_WEIGHT = 1 / 8;
/** What each job that a holder has adds to its pace, as a share: eight rows together take about 1.4 times one's time. */
export const LOAD_COST = 0.06;
/** What a holder that was not measured lately is hoped to take, of the fastest's pace. */
export const HOPE = 0.99;
/** Holders whose pace is remembered. */
export const MAX_PACES = 4_096;
/** When no token came for so long, whoever holds the answer up is replaced. */
export const TOKEN_TIMEOUT_MS = 60_000;
/** Stages of one job that are replaced for that; then it is given up. */
export const MAX_STALLS = 3;
/** Before, stages whose rows come directly tell how many they have. */
export const STALL_ASK_MS = 3_000;
/** A node that could not compute so many jobs in a row, and none between, is not asked again for a while. */
export const MAX_JOB_FAILURES = 3;
/** While the prompt is computed, frames between stages count as progress, but no longer than this in all. */
export const FIRST_TOKEN_TIMEOUT_MS = 600_000;
/** A stage whose holder was lost gets another within this (a node that has it takes over at once, others must load). */
export const REPLACEMENT_TIMEOUT_MS = 120_000;
/** A replacement shows progress, or has the next token computed, within this. */
export const REPLAY_TIMEOUT_MS = 120_000;
/** Stages of one job that are replaced before it is given up: nodes that die of it are not to be fed to it for ever. */
export const MAX_REPLACEMENTS = 64;
/** A node whose socket is gone for so long is taken for lost where another can go on for it. Reconnecting takes less. */
export const TAKEOVER_AFTER_MS = 1_000;
/** Requests remembered so that none is made twice. */
export const MAX_REMEMBERED_REQUESTS = 4_096;

/** After so long every node that lives has found its way back to a coordinator that started anew. */
export const NODES_RETURN_MS = 60_000;
/** How often deadlines, bans and grace periods are looked at. */
export const TICK_MS = 500;

/** Checkpoints are told of at most this often: each goes to every node. */
export const CHECKPOINT_EVERY_MS = 200;
/** Changes of the listing are collected for so long: each goes to every node. */
export const ANNOUNCE_AFTER_MS = 50;
/** A reward that could not be written is tried again so often, with growing pauses. */
export const PAY_ATTEMPTS = 5;
export const PAY_RETRY_MS = 500;
