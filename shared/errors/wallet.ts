/** Errors of keys, addresses and wallets. No sentence repeats a secret: not a word, not a key. */
export const walletSentences = {
  WORDS_INVALID: (d: { reason: string }) => `These are not the words of a wallet: ${d.reason}.`,
  USERNAME_UNKNOWN: (d: { username: string }) => `Nobody has the name “${d.username}”.`,
  ADDRESS_INVALID: (d: { reason: string }) => `This is not an Ailo address: ${d.reason}.`,
  PUBLIC_KEY_INVALID: (d: { reason: string }) => `This public key cannot be used: ${d.reason}.`,
  WALLET_FILE_INVALID: (d: { path: string; reason: string }) =>
    `The wallet file “${d.path}” cannot be used: ${d.reason}.`,
};
