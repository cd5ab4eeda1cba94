/** Errors of the ledger: one for each consensus rule, and those of reading its bytes. */
export const ledgerSentences = {};
