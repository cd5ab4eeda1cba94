/** Every limit of the node program, in one place. */

/** Back-off between two attempts to connect: doubles from the first to the last, then halved at most by jitter. */
export const RECONNECT_FIRST_MS = 200;
export const RECONNECT_LAST_MS = 10_000;
/** A coordinator that refused this wallet is asked again so seldom. */
export const REFUSED_RETRY_MS = 15_000;
/** A coordinator that was told goodbye has so long to hang up. */
export const LEAVE_TIMEOUT_MS = 1_000;
/** An offer that came too soon after others is made again after this. */
export const OFFER_RETRY_MS = 10_000;
/** Tensor frames of all jobs that may wait here for their turn. */
export const MAX_QUEUED_FRAME_BYTES = 128 * 2 ** 20;
/** How often a stage tells the coordinator, which does not see what comes directly, that a job goes on. */
export const PROGRESS_EVERY_MS = 5_000;
/** Of a journal, what is sent to a successor's replacement at once; then it must have run that. */
export const REPLAY_WINDOW_BYTES = 4 * 2 ** 20;
/** Steps of so many rows are taken for decoding, which comes before prompts: a token, or some that were guessed. */
export const MAX_DECODE_ROWS = 8;
/** A piece of a prompt may hold up others that decode for so long, but has so many rows at least. */
export const PIECE_MS = 100;
export const MIN_PIECE_ROWS = 16;
/** Where a stage runs one step at a time, a prompt lets so many pass. */
export const RUNS_BEFORE_PROMPT = 4;
/** A free stage waits for steps that come together: this share of a run's time, and no longer than this. */
export const GATHER_SHARE = 0.1;
export const GATHER_MAX_MS = 20;
/** A delta of `ailo-840m` with 256 of 4096 values has some 60 MB. */
export const MAX_DELTA_BYTES = 256 * 2 ** 20;
/** An update is handed in again so often while the coordinator cannot be reached, after a pause each. */
export const UPLOAD_ATTEMPTS = 60;
export const UPLOAD_RETRY_MS = 2_000;
