/** Errors of the ledger: one for each consensus rule, and those of reading its bytes and keeping them. */
export const ledgerSentences = {
  // Reading bytes
  AMOUNT_INVALID: (d: { reason: string }) => `This amount cannot be used: ${d.reason}.`,
  GENESIS_INVALID: (d: { reason: string }) => `The genesis file cannot be used: ${d.reason}.`,
  TRANSACTION_INVALID: (d: { reason: string }) => `This is not a transaction: ${d.reason}.`,
  RECEIPT_INVALID: (d: { reason: string }) => `This is not a receipt: ${d.reason}.`,
  ENTRY_INVALID: (d: { reason: string }) => `This is not an entry of the ledger: ${d.reason}.`,
  TILE_INVALID: (d: { reason: string }) => `This is not a piece of the ledger: ${d.reason}.`,
  CHECKPOINT_INVALID: (d: { reason: string }) => `This is not a checkpoint of the ledger: ${d.reason}.`,
  COSIGNATURE_INVALID: (d: { reason: string }) => `This is not a cosignature: ${d.reason}.`,
  REPORT_INVALID: (d: { reason: string }) => `This is not a report: ${d.reason}.`,
  REGISTRATION_INVALID: (d: { reason: string }) => `This is not a registration: ${d.reason}.`,
  LEDGER_RECORD_INVALID: (d: { reason: string }) => `A record of the ledger's state cannot be read: ${d.reason}.`,

  // Rules for every entry
  NETWORK_MISMATCH: (_: Record<never, never>) => 'This was signed for another network.',
  SIGNATURE_INVALID: (_: Record<never, never>) => 'The signature does not belong to the sender.',
  ENTRY_TIME_BACKWARDS: (d: { timeMs: number; lastMs: number }) =>
    `The entry's time ${d.timeMs} lies before ${d.lastMs}, that of the entry before it.`,
  SUPPLY_EXHAUSTED: (_: Record<never, never>) => 'More money than this would be more than the ledger can count.',
  SUPPLY_BROKEN: (d: { reason: string }) => `The ledger does not add up: ${d.reason}.`,

  // Rules for transfers
  TRANSFER_TO_SELF: (_: Record<never, never>) => 'Sender and recipient are the same wallet.',
  RECIPIENT_INVALID: (_: Record<never, never>) => 'Nobody can have the recipient’s address.',
  AMOUNT_ZERO: (_: Record<never, never>) => 'The amount must be more than nothing.',
  FEE_WRONG: (d: { feeMicroAlc: bigint; expectedMicroAlc: bigint }) =>
    `The fee is ${d.feeMicroAlc} µALC but must be exactly ${d.expectedMicroAlc} µALC.`,
  TIME_IN_FUTURE: (d: { aheadMs: number }) =>
    `The transaction's time lies ${Math.ceil(d.aheadMs / 1000)} s in the future; please check this device's clock.`,
  NONCE_WRONG: (d: { nonce: number; expected: number }) =>
    `The transaction has number ${d.nonce} where ${d.expected} comes next for its sender.`,
  BALANCE_INSUFFICIENT: (d: { availableMicroAlc: bigint; neededMicroAlc: bigint }) =>
    `${d.neededMicroAlc} µALC are needed, but only ${d.availableMicroAlc} µALC are available.`,

  // Rules for what the network itself adds
  NOT_FROM_NETWORK: (_: Record<never, never>) => 'Only the network itself may pay rewards and reverse transfers.',
  REWARD_WITHOUT_RECEIPT: (_: Record<never, never>) => 'A reward must follow the receipt it is paid for.',
  REWARD_MISSING: (_: Record<never, never>) => 'A receipt was not paid in full.',
  REWARD_WRONG: (d: { reason: string }) => `The reward is not what its receipt says: ${d.reason}.`,
  RECEIPT_NUMBER_WRONG: (d: { number: number; expected: number }) =>
    `The receipt has number ${d.number} where ${d.expected} comes next for its requester.`,
  RECEIPT_TOO_SHORT: (d: { tokens: number; minTokens: number }) =>
    `Cut off after ${d.tokens} tokens, the answer earns nothing; ${d.minTokens} are needed.`,
  RECEIPT_TOO_LARGE: (d: { maxSequences: number }) =>
    `No work unit has more than ${d.maxSequences} sequences, so this one is paid nothing.`,
  RECEIPT_OVER_QUOTA: (d: { paidPerHour: number }) =>
    `Only ${d.paidPerHour} requests of one person are paid each hour, so this one earned nothing.`,
  RECEIPT_NOBODY_TO_PAY: (_: Record<never, never>) =>
    'Nobody but the requester took part, and one cannot earn from oneself.',

  // Rules for usernames
  USERNAME_TAKEN: (d: { username: string }) => `The name “${d.username}” belongs to somebody else.`,
  USERNAME_INVALID: (_: Record<never, never>) =>
    'A username has 3 to 20 characters: small letters, digits, “-” and “_”, beginning with a letter.',
  USERNAME_UNCHANGED: (d: { username: string }) => `This wallet has the name “${d.username}” already.`,
  REGISTRATION_NUMBER_WRONG: (d: { number: number; expected: number }) =>
    `The registration has number ${d.number} where ${d.expected} comes next for its wallet.`,

  // Rules for verifying, reporting and reversing
  NOT_ELIGIBLE: (_: Record<never, never>) =>
    'Verifications count only from wallets that earned something in the last days.',
  COSIGNATURE_AHEAD: (d: { size: number; logSize: number }) =>
    `The cosignature covers ${d.size} entries, but the ledger has only ${d.logSize}.`,
  COSIGNATURE_TOO_OLD: (d: { size: number }) =>
    `The cosignature covers only the first ${d.size} entries, which is too far back to count.`,
  COSIGNATURE_ROOT_WRONG: (d: { size: number }) =>
    `The cosignature is about another history than the ledger's first ${d.size} entries.`,
  COSIGNATURE_EMPTY: (_: Record<never, never>) => 'The cosignature verifies nothing that still waits for it.',
  REPORT_UNKNOWN_TRANSFER: (_: Record<never, never>) =>
    'Only transfers can be reported, and the ledger has no such transfer.',
  REPORT_SETTLED: (_: Record<never, never>) => 'The transfer is already disputed or reversed.',
  REPORT_TOO_LATE: (d: { windowMs: number }) =>
    `Transfers are final after ${Math.round(d.windowMs / 3_600_000)} hours and cannot be reported any more.`,
  REPORT_NOT_ACTIVE: (_: Record<never, never>) =>
    'Only nodes that were active at the first report of a transfer can report it.',
  ACTIVE_NODES_UNKNOWN: (d: { retryAfterMs: number }) =>
    `The coordinator has just started and waits for the nodes to come back; report it in ${Math.ceil(d.retryAfterMs / 1000)} s.`,
  REPORT_TWICE: (_: Record<never, never>) => 'This wallet has reported the transfer already.',
  ACTIVE_SET_INVALID: (d: { reason: string }) => `The set of active nodes cannot be right: ${d.reason}.`,
  REVERSAL_UNFOUNDED: (_: Record<never, never>) => 'Only a disputed transfer can be reversed.',
  REVERSAL_EARLY: (d: { dueMs: number }) =>
    `The transfer must not be reversed before ${new Date(d.dueMs).toISOString()}.`,
  REVERSAL_WRONG: (d: { reason: string }) => `The reversal is not what the dispute decided: ${d.reason}.`,

  // Keeping the ledger
  DATABASE_UNUSABLE: (d: { path: string; reason: string }) => `The database “${d.path}” cannot be opened: ${d.reason}.`,
  NETWORK_FILES_UNUSABLE: (d: { path: string; reason: string }) =>
    `The network's file “${d.path}” cannot be used: ${d.reason}.`,
  RECEIPT_CONFLICT: (d: { job: string }) => `The job or work unit ${d.job} was already paid for another result.`,
  LEDGER_OTHER_NETWORK: (_: Record<never, never>) => 'This is the ledger of another network than the one known here.',
  LEDGER_CORRUPT: (d: { reason: string }) => `The stored ledger is damaged: ${d.reason}.`,
  LEDGER_BUSY: (d: { limit: number }) => `More than ${d.limit} bookings are waiting; try again in a moment.`,
  LEDGER_CLOSED: (_: Record<never, never>) => 'The ledger is closing and takes nothing more.',
  LEDGER_NOT_READY: (_: Record<never, never>) =>
    'The ledger is not ready yet: it has not been read here so far; please try again in a moment.',
  LEDGER_FAILED: (_: Record<never, never>) =>
    'The ledger could not be written; please try again, nothing is booked twice.',

  // Replaying it elsewhere
  LEDGER_UNSOUND: (d: { index: number; reason: string }) =>
    `The ledger is not sound: entry ${d.index} breaks a rule. ${d.reason}`,
  LEDGER_MISMATCH: (d: { size: number }) => `What was served are not the ${d.size} entries that the checkpoint seals.`,
  LEDGER_UNREACHABLE: (d: { reason: string }) => `The ledger cannot be fetched at the moment: ${d.reason}.`,
  LEDGER_FORKED: (d: { size: number }) =>
    `The coordinator signed two different ledgers of ${d.size} entries; nothing newer is believed.`,
  LEDGER_REWRITTEN: (_: Record<never, never>) =>
    'The coordinator signed a ledger that does not go on from what was verified here; nothing newer is believed.',
  LEDGER_STATE_WRONG: (d: { size: number }) =>
    `The coordinator signed balances that the ledger's ${d.size} entries do not lead to; nothing newer is believed.`,
};
