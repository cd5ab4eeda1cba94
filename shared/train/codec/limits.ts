/** Every limit and constant of the update codec, in one place. */

/** Edge of a matrix's blocks. */
export const BLOCK_SIDE = 64;
/** Values of a whole block: a vector is cut into runs of so many. */
export const BLOCK_VALUES = BLOCK_SIDE * BLOCK_SIDE;
/** Values of a block that an update carries upwards. */
export const UPLINK_KEEP = 64;
/** Share of the error feedback that is kept from round to round. */
export const FEEDBACK_DECAY = 0.95;

export const MAX_TENSORS = 2 ** 16;
export const MAX_TENSOR_NAME = 200;
export const MAX_TENSOR_VALUES = 2 ** 40;
/** A slab is 64 rows and is held in memory as f32: 64 MiB at most. */
export const MAX_COLUMNS = 2 ** 18;
/** Blocks of a vector that are worked on at once. */
export const VECTOR_SLAB_BLOCKS = 16;
/** Updates that one aggregation joins: each has one slab in memory. */
export const MAX_CONTRIBUTIONS = 256;
