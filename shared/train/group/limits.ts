/** Every limit and constant of groups whose members' updates are only ever seen as a sum, in one place. */

/** A sum of two tells each of them the other's update. */
export const MIN_GROUP = 3;
/** The larger of two groups that a draw leaves: less than twice the smallest. Their shares fit one message. */
export const MAX_GROUP = 64;
/**
 * An update's norm is at most so many steps. Of 64 members together that is 2^26, which leaves a 32-bit sum room for
 * noise of the largest multiplier, 24 deviations of it.
 */
export const CLIP_STEPS = 2 ** 20;
/** Less would be too few steps for the sum of discrete Gaussians to be one. */
export const MIN_NOISE_MULTIPLIER = 0.01;
export const MAX_NOISE_MULTIPLIER = 64;
/** Of values in a block, how many come back: a mean of the same places is not sparse, as what workers chose themselves is. */
export const GROUP_DOWNLINK_KEEP = 1024;
/** What a worker of a local campaign sends in a round by default, at most: as much as an update of `ailo-840m` takes. */
export const GROUP_UPDATE_BYTES = 16 * 2 ** 20;
