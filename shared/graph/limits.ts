/** Every limit of building and running graphs, in one place. */

/** Rows (tokens) of one step. A longer prefill is made of several steps, so that its intermediate values stay bounded. */
export const MAX_STEP_ROWS = 128;
/** Steps that one run of a stage may have, each of another sequence: so many lanes has its graph at most. */
export const MAX_LANES = 8;
/** Weights that share one scale in 4-bit matrices; onnxruntime's kernels want a power of two from 16 on. */
export const INT4_BLOCK = 32;
