/**
 * Signatures by the thousand. WebCrypto is many times faster than `verify`, but implementations disagree on odd
 * signatures, and a split verdict would split the ledger: so it may only say yes, and every other answer is `verify`'s.
 *
 * Chromium verifies on the calling thread (60 µs each) and lets nothing else of it run in between: whoever has many
 * gives them a worker of their own. Node has a pool of threads for it.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { verify } from './public-key.ts';

/** Bytes that do not change until the verdict is there. */
export interface SignedMessage {
  signature: Uint8Array;
  message: Uint8Array;
  /** One that passed `checkPublicKey`: only on those does WebCrypto never accept what `verify` refuses. */
  publicKey: Uint8Array;
}

export interface Verifier {
  /** What `verify` says of the item. */
  verifyOne(item: SignedMessage): Promise<boolean>;
  /** What `verify` says of each, in their order. */
  verifyAll(items: readonly SignedMessage[]): Promise<boolean[]>;
}

type Subtle = Pick<SubtleCrypto, 'importKey' | 'verify'>;

export interface VerifierOptions {
  /** The platform's, if none is given. Where that has no Ed25519, `verify` decides everything. */
  subtle?: Subtle | undefined;
  /** Imported keys that are kept: those used last. Importing one costs up to a quarter of a verification. */
  cacheKeys?: number;
  /** Items worked on at once. Node's threads are busy all the time from 32 on; to Chromium it makes no difference. */
  inFlight?: number;
}

export function createVerifier(options: VerifierOptions = {}): Verifier {
  const { subtle = globalThis.crypto?.subtle as Subtle | undefined, cacheKeys = 4096, inFlight = 64 } = options;
  const accepts = subtle ? fastYes(subtle, cacheKeys) : async () => false;
  const slots = new Slots(inFlight);

  const verifyOne = async (item: SignedMessage): Promise<boolean> => {
    await slots.take();
    try {
      return (await accepts(item)) || verify(item.signature, item.message, item.publicKey);
    } finally {
      slots.give();
    }
  };
  const verifyAll = async (items: readonly SignedMessage[]): Promise<boolean[]> => {
    const verdicts: boolean[] = new Array(items.length).fill(false);
    const queue = items.entries();
    const work = async () => {
      for (const [i, item] of queue) verdicts[i] = await verifyOne(item);
    };
    await Promise.all(Array.from({ length: Math.min(inFlight, items.length) }, work));
    return verdicts;
  };
  return { verifyOne, verifyAll };
}

/** Whether WebCrypto says yes. Its no, its errors and its not knowing Ed25519 are all false. */
function fastYes(subtle: Subtle, cacheKeys: number): (item: SignedMessage) => Promise<boolean> {
  const keys = new Map<string, Promise<CryptoKey | undefined>>();
  let supported = true;

  const load = async (publicKey: Uint8Array): Promise<CryptoKey | undefined> => {
    try {
      return await subtle.importKey('raw', publicKey as Uint8Array<ArrayBuffer>, 'Ed25519', false, ['verify']);
    } catch (error) {
      if ((error as { name?: unknown } | undefined)?.name === 'NotSupportedError') supported = false;
      return undefined;
    }
  };
  const keyOf = (publicKey: Uint8Array): Promise<CryptoKey | undefined> => {
    const name = bytesToHex(publicKey);
    const key = keys.get(name) ?? load(publicKey);
    // A Map keeps the order of insertion: the key used last goes to its end.
    keys.delete(name);
    keys.set(name, key);
    if (keys.size > cacheKeys) keys.delete(keys.keys().next().value!);
    return key;
  };
  return async ({ signature, message, publicKey }) => {
    if (!supported) return false;
    const key = await keyOf(publicKey);
    if (!key) return false;
    try {
      const bytes = [signature, message] as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
      return await subtle.verify('Ed25519', key, ...bytes);
    } catch {
      return false;
    }
  };
}

/** Lets `free` through at once; the others wait in their order. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(free: number) {
    this.#free = free;
  }

  async take(): Promise<void> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** A place that somebody waits for passes straight on to them. */
  give(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#free++;
  }
}
