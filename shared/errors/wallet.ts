/** Errors of keys, addresses and wallets. No sentence repeats a secret: not a word, not a key. */
export const walletSentences = {
  WORDS_INVALID: (d: { reason: string }) => `These are not the words of a wallet: ${d.reason}.`,
  USERNAME_UNKNOWN: (d: { username: string }) => `Nobody has the name “${d.username}”.`,
  ADDRESS_INVALID: (d: { reason: string }) => `This is not an Ailo address: ${d.reason}.`,
  PUBLIC_KEY_INVALID: (d: { reason: string }) => `This public key cannot be used: ${d.reason}.`,
  WALLET_FILE_MISSING: (d: { path: string }) => `There is no wallet file “${d.path}”; “ailo wallet new” makes one.`,
  WALLET_FILE_EXISTS: (d: { path: string }) =>
    `There is a wallet in “${d.path}” already; choose another file with --wallet.`,
  WALLET_FILE_INVALID: (d: { path: string; reason: string }) =>
    `The wallet file “${d.path}” cannot be used: ${d.reason}.`,
  PASSWORD_TOO_SHORT: (d: { minLength: number }) => `A password needs at least ${d.minLength} characters.`,
  PASSWORDS_DIFFER: (_: Record<never, never>) => 'The two new passwords are not the same.',
  WORD_DIFFERS: (d: { place: number }) =>
    `Word ${d.place} is not the one shown. Please compare what you have written with the words.`,
  PASSWORD_WRONG: (_: Record<never, never>) => 'This is not the password of this wallet.',
  PASSWORD_NEEDED: (_: Record<never, never>) => 'This needs the password of the wallet.',
  PASSWORD_WAIT: (d: { retryAfterMs: number }) =>
    `Too many wrong passwords; try again in ${Math.ceil(d.retryAfterMs / 1000)} s.`,
  PASSWORD_NOT_SET: (_: Record<never, never>) => 'Without a password the wallet cannot be locked: choose one first.',
  VAULT_INVALID: (d: { reason: string }) => `This stored wallet cannot be opened: ${d.reason}.`,
  WALLET_LOCKED: (_: Record<never, never>) => 'The wallet is locked. Its password opens it.',
  WALLET_UNREADABLE: (d: { reason: string }) =>
    `There is a wallet on this computer, but it cannot be read: ${d.reason}. Its twelve words restore it.`,
  WALLET_NOT_STORED: (d: { reason: string }) => `The wallet could not be stored on this computer: ${d.reason}.`,
  WALLET_STORED_ONCE: (d: { reason: string }) =>
    `It is done, but only one of the wallet’s two copies could be written: ${d.reason}. The next start of Ailo mends that.`,
};
