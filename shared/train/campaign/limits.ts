/** Every limit of campaigns, in one place. */

/** Workers of one round; an update that goes back to all is made of at most so many. */
export const MAX_ROUND_WORKERS = 256;
/** An update that is late by more rounds is refused. */
export const MAX_STALENESS = 3;
/** Local steps of a round. */
export const MAX_LOCAL_STEPS = 10_000;
export const MAX_ROUNDS = 1_000_000;
export const MAX_ROUND_MS = 7 * 86_400_000;
export const MAX_CAMPAIGN_BYTES = 2 ** 20;
/** Of the list of a coordinator's campaigns, with their loss curves. */
export const MAX_CAMPAIGNS_BYTES = 2 ** 22;
/** Tokens of a shard that is handed out. */
export const MAX_SHARD_TOKENS = 2 ** 28;
/** Rounds of the loss curve that are shown. */
export const MAX_LOSSES = 1000;
