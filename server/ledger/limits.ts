/** Every limit of keeping the ledger, in one place. */

/** Bookings that wait for the sequencer; more are refused as LEDGER_BUSY. */
export const MAX_BACKLOG = 10_000;
/** Bookings sealed by one checkpoint: what one commit to the disk is shared by. */
export const MAX_BATCH_BOOKINGS = 256;
/** Rows of one INSERT: SQLite binds at most 32,766 values in a statement. */
export const ROWS_PER_INSERT = 500;
/** Entries or transactions of one answer. */
export const MAX_PAGE_ENTRIES = 256;
export const MAX_PAGE_TRANSACTIONS = 100;
