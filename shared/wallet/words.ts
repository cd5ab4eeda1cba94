/** The twelve words of a wallet (BIP-39, English). Never logged, never part of an error. */

import { randomBytes } from '@noble/hashes/utils.js';
import { entropyToMnemonic, mnemonicToSeedSync, validateMnemonic } from '@scure/bip39';
import { wordlist } from '@scure/bip39/wordlists/english.js';
import { AiloError } from '../errors/index.ts';

export const WORD_COUNT = 12;
const ENTROPY_BYTES = 16;

/** Twelve new words from the platform's secure randomness, or from the 16 bytes given. */
export function newWords(entropy: Uint8Array = randomBytes(ENTROPY_BYTES)): string {
  if (entropy.length !== ENTROPY_BYTES) throw new RangeError(`entropy must have ${ENTROPY_BYTES} bytes`);
  return entropyToMnemonic(entropy, wordlist);
}

/**
 * What a person typed, as the words in their one spelling: small letters, single spaces.
 * Throws WORDS_INVALID, which names at most the place of a word.
 */
export function normaliseWords(text: string): string {
  const words = text.normalize('NFKD').trim().toLowerCase().split(/\s+/);
  if (words.length !== WORD_COUNT) {
    throw AiloError.of('WORDS_INVALID', { reason: `there are ${words.length} of them, not ${WORD_COUNT}` });
  }
  const unknown = words.findIndex((word) => !wordlist.includes(word));
  if (unknown >= 0) throw AiloError.of('WORDS_INVALID', { reason: `word ${unknown + 1} is not in the list of words` });
  const normal = words.join(' ');
  if (!validateMnemonic(normal, wordlist)) {
    throw AiloError.of('WORDS_INVALID', { reason: 'one of them is wrong, or two changed places' });
  }
  return normal;
}

/** BIP-39's 64-byte seed, without a passphrase. Throws WORDS_INVALID. */
export function seedOfWords(text: string): Uint8Array {
  return mnemonicToSeedSync(normaliseWords(text));
}
