/** RFC 6962 §2.1: the hashes of an append-only Merkle tree, and a tree that grows without keeping its leaves. */
import { sha256 } from '../bytes/sha256-sync.ts';
import { HASH_BYTES } from './binary.ts';

/** The root of no leaves. */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0));

/** What the functions below hash, in one buffer each for all calls: a new one costs a sixth of the hash. */
let leafInput = new Uint8Array(1024);
const nodeInput = Uint8Array.of(1, ...new Uint8Array(2 * HASH_BYTES));

/** SHA-256(0x00 ‖ data). */
export function hashLeaf(data: Uint8Array): Uint8Array {
  const length = 1 + data.length;
  if (length > leafInput.length) leafInput = new Uint8Array(2 * length);
  leafInput.set(data, 1);
  return sha256(leafInput.subarray(0, length));
}

/** SHA-256(0x01 ‖ left ‖ right). RangeError unless both have 32 bytes. */
export function hashNode(left: Uint8Array, right: Uint8Array): Uint8Array {
  if (left.length !== HASH_BYTES || right.length !== HASH_BYTES) throw new RangeError('a node has hashes of 32 bytes');
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_BYTES);
  return sha256(nodeInput);
}

/** `hashNode` of two hashes that lie side by side: 64 bytes, else RangeError. */
export function hashPair(pair: Uint8Array): Uint8Array {
  if (pair.length !== 2 * HASH_BYTES) throw new RangeError('a pair of hashes has 64 bytes');
  nodeInput.set(pair, 1);
  return sha256(nodeInput);
}

/** The largest power of two below `n`; n > 1. Where RFC 6962 splits n leaves. */
export function splitPoint(n: number): number {
  let k = 1;
  while (2 * k < n) k *= 2;
  return k;
}

/** The hashes of the complete subtrees that a tree of `size` leaves is made of, left (largest) to right. */
export class CompactRange {
  #size: number;
  readonly #hashes: Uint8Array[];

  /** @param hashes as many as `size` has one-bits, each of 32 bytes; RangeError otherwise */
  constructor(size = 0, hashes: readonly Uint8Array[] = []) {
    if (!Number.isSafeInteger(size) || size < 0 || hashes.length !== oneBits(size)) {
      throw new RangeError(`${hashes.length} hashes do not make a tree of ${size} leaves`);
    }
    if (hashes.some((hash) => hash.length !== HASH_BYTES)) throw new RangeError('a hash has 32 bytes');
    this.#size = size;
    this.#hashes = [...hashes];
  }

  get size(): number {
    return this.#size;
  }

  get hashes(): readonly Uint8Array[] {
    return this.#hashes;
  }

  append(leafHash: Uint8Array): void {
    let hash = leafHash;
    for (let rest = this.#size; rest % 2 === 1; rest = (rest - 1) / 2) hash = hashNode(this.#hashes.pop()!, hash);
    this.#hashes.push(hash);
    this.#size++;
  }

  root(): Uint8Array {
    return this.#hashes.length === 0 ? EMPTY_ROOT : this.#hashes.reduceRight((right, left) => hashNode(left, right));
  }
}

function oneBits(n: number): number {
  let bits = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) bits += rest % 2;
  return bits;
}
