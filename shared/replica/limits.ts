/** Every limit of keeping a replica and acting on it, in one place. */
import { TILE_ENTRIES } from '../ledger/limits.ts';

/** Records that are stored in one row: as many as a tile has entries. */
export const PAGE_RECORDS: number = TILE_ENTRIES;
/** Tiles that are fetched or wait to be replayed: the network's delay is paid once, not for each. */
export const DOWNLOADS_AHEAD = 8;
/** Tiles whose signatures are being checked while one before them is applied, or progress is stored. */
export const VERIFY_AHEAD = 6;
/** Signatures given to the platform at once: enough for it to be busy while a tile is applied. */
export const SIGNATURES_IN_FLIGHT = 1024;
/** A gap of at most so many entries is downloaded and compared with the checkpoint before any of it is applied. */
export const SHORT_GAP_ENTRIES: number = 4 * TILE_ENTRIES;
/** How often progress over a longer gap is stored. */
export const SAVE_ENTRIES: number = 32 * TILE_ENTRIES;
/** JSON answers: a checkpoint, the genesis, a consistency proof of some fifty hashes. */
export const MAX_JSON_BYTES = 64 * 1024;
/** RFC 6962 proofs have at most about two hashes for each of 53 levels. */
export const MAX_PROOF_HASHES = 128;
/** Transactions of one page of a history. */
export const MAX_HISTORY_PAGE = 100;
/** Checkpoints that wait to be looked at. */
export const MAX_HEARD = 32;
/** A submission without an answer is made again so often, with growing pauses: some 15 s in all. */
export const SUBMIT_ATTEMPTS = 6;
export const SUBMIT_RETRY_MS = 500;
/** Of one attempt; an entry is sealed within a second. */
export const SUBMIT_TIMEOUT_MS = 30_000;
/** Nodes that verified the same checkpoint don't all speak at once: only the first ten count. */
export const COSIGN_SPREAD_MS = 400;
