/** Every limit of weights that lie on a disk, in one place. */

/** Values of a segment, what one run of the optimiser takes: 4 MB, which a processor's cache holds several times. */
export const SEGMENT_VALUES = 1_000_000;
/** Of a model's weights as they are stored by their hash: 24 segments. */
export const CHUNK_BYTES = 96_000_000;
/** Values of the head's matrix that are computed with at once. */
export const MAX_HEAD_TILE_VALUES = 2 ** 24;
/** A step is applied in about so many batches of segments, each of which is made durable before its place is used again. */
export const APPLY_BATCHES = 32;
/** Of one of the journal's two records; what fits a sector is written whole or not at all. */
export const JOURNAL_RECORD_BYTES = 4096;
/** Of one model: 400 GB. */
export const MAX_CHUNKS = 4096;
