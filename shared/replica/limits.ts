/** Every limit of keeping a replica and acting on it, in one place. */

/** A submission without an answer is made again so often, with growing pauses: some 15 s in all. */
export const SUBMIT_ATTEMPTS = 6;
export const SUBMIT_RETRY_MS = 500;
/** Nodes that verified the same checkpoint don't all speak at once: only the first ten count. */
export const COSIGN_SPREAD_MS = 400;
