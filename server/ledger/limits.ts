/** Every limit of keeping the ledger, in one place. */

/** Bookings that wait: for their signatures' verdicts or for the sequencer. More are refused as LEDGER_BUSY. */
export const MAX_BACKLOG = 10_000;
/** Signatures given to the thread pool at once: it goes on with them while a commit keeps the main thread. */
export const MAX_VERIFYING = 512;
/** Bookings sealed by one checkpoint: what one commit to the disk is shared by. */
export const MAX_BATCH_BOOKINGS = 512;
/** After so many bookings of a batch others have their turn. */
export const BOOKINGS_PER_TURN = 64;
/**
 * A batch that has so many entries takes no further booking. With the most that one booking adds (a receipt and its
 * rewards) it stays within the log tree's window.
 */
export const MAX_BATCH_ENTRIES = 8_192;
/** Rows of one statement: SQLite binds at most 32,766 values in it. */
export const ROWS_PER_STATEMENT = 500;
/** Entries or transactions of one answer. */
export const MAX_PAGE_ENTRIES = 256;
export const MAX_PAGE_TRANSACTIONS = 100;
/** A reversal that could not be written is tried again after so long. */
export const REVERSAL_RETRY_MS = 1_000;
/** The longest delay that a timer of JavaScript has; what is due later is looked at again then. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;
