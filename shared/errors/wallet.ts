/** Errors of keys, addresses and wallets. */
export const walletSentences = {};
