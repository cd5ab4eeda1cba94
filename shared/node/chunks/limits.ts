/** Every limit of sharing chunks, in one place. */
import { MAX_PARALLEL_CHUNKS } from '../../model/limits.ts';

/** Of a chunk, what goes in one message: frames of jobs must not wait behind much. */
export const PART_BYTES = 64 * 2 ** 10;
/** Chunks that one node may ask of another at a time: all that it loads at a time. */
export const MAX_ASKED = MAX_PARALLEL_CHUNKS;
/** Nodes that are given chunks at a time; others load from the coordinator. */
export const MAX_BORROWERS = 4;
/** Who asks for nothing any more is forgotten after so long. */
export const BORROWER_IDLE_MS = 30_000;
/** A neighbour that sends nothing of what it was asked for is not asked again after so long. */
export const PART_TIMEOUT_MS = 5_000;
