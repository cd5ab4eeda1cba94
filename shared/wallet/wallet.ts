/** A wallet: an Ed25519 key derived from twelve words, and its address. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { HDKey } from 'micro-key-producer/slip10.js';
import { encodeAddress } from './address.ts';
import { seedOfWords } from './words.ts';

/**
 * SLIP-0010 path, hardened throughout as Ed25519 needs. The coin type is “ailo” in ASCII (0x61696c6f): SLIP-0044 has
 * not assigned it, and its small numbers are crowded (7777, say, is Bitvote's), so that another coin's wallet made
 * from the same words is another key.
 */
export const DERIVATION_PATH = "m/44'/1634298991'/0'";

/** What can sign. The secret is out of reach of JSON, structured clone, inspection and enumeration. */
export class SigningKey {
  readonly publicKey: Uint8Array;
  readonly #secretKey: Uint8Array;

  /** @param secretKey the 32-byte seed of RFC 8032 §5.1.5; copied */
  constructor(secretKey: Uint8Array) {
    if (secretKey.length !== 32) throw new RangeError('a secret key has 32 bytes');
    this.#secretKey = secretKey.slice();
    this.publicKey = ed25519.getPublicKey(this.#secretKey);
  }

  /** The 64-byte signature over `message`; callers begin it with the domain it is for (`ailo/…/v1\0`). */
  sign(message: Uint8Array): Uint8Array {
    return ed25519.sign(message, this.#secretKey);
  }
}

export class Wallet extends SigningKey {
  readonly address: string;

  constructor(secretKey: Uint8Array) {
    super(secretKey);
    this.address = encodeAddress(this.publicKey);
  }
}

/** The wallet of twelve words. Throws WORDS_INVALID. Takes some tens of milliseconds (PBKDF2, 2048 rounds). */
export function createWallet(words: string): Wallet {
  return new Wallet(HDKey.fromMasterSeed(seedOfWords(words)).derive(DERIVATION_PATH).privateKey);
}
