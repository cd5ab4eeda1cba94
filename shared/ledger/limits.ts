/** Every limit of the ledger's formats, in one place. Consensus: changing one makes another network. */

/** Amounts, balances and the whole supply stay within a signed 64-bit integer, which every store and language has. */
export const MAX_MICRO_ALC = 2n ** 63n - 1n;
/** Times (ms) and counters: what a JavaScript number holds exactly. */
export const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
export const MAX_MEMO_BYTES = 64;
export const MAX_PARTICIPANTS = 512;
/** As the protocol's ModelId. */
export const MODEL_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/;
/** Letters that need no escaping anywhere, so that the genesis file has one spelling. */
export const NETWORK_NAME = /^[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}$/;
/** A genesis file is a few hundred bytes. */
export const MAX_GENESIS_BYTES = 4096;
/** Entries of a full tile: one immutable resource, so that everybody asks for the same pieces of the log. */
export const TILE_ENTRIES = 256;
/** A receipt of MAX_PARTICIPANTS takes a sixth of it. */
export const MAX_ENTRY_BYTES = 128 * 1024;
/** A full tile of the longest entries, each behind its length. */
export const MAX_TILE_BYTES: number = TILE_ENTRIES * (4 + MAX_ENTRY_BYTES);
/** How far behind the log's end a checkpoint may lie that is cosigned, in entries. */
export const COSIGNATURE_WINDOW: number = 64 * TILE_ENTRIES;
