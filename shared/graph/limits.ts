/** Every limit of building and running graphs, in one place. */

/** Rows (tokens) of one step. A longer prefill is made of several steps, so that its intermediate values stay bounded. */
export const MAX_STEP_ROWS = 128;
/** Steps that one run of a stage may have, each of another sequence: so many lanes has its graph at most. */
export const MAX_LANES = 8;
/** Parts that one MLP half-layer may be divided into. */
export const MAX_MLP_PARTS = 64;
/** Values of a tensor that are read, and converted, at once: 4 MiB as float32. */
export const STRIP_VALUES = 2 ** 20;
/**
 * Bytes of a matrix in one piece; a larger one becomes several side by side. Engines hold a matrix twice while they pack
 * it, and WebGPU binds 128 MiB at once.
 */
export const MAX_MATRIX_BYTES = 8 * 2 ** 20;
/** Weights that share one scale in 4-bit matrices; onnxruntime's kernels want a power of two from 16 on. */
export const INT4_BLOCK = 32;
/**
 * Of a matrix with fewer inputs the errors of 4 bits do not average out: in int4 it keeps 8. Models that have such
 * matrices are small anyway.
 */
export const INT4_MIN_INPUTS = 512;
