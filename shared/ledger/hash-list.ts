/** A list of hashes in one buffer: an object for each would cost several times their 32 bytes. */
import { HASH_BYTES } from './binary.ts';

const FIRST_CAPACITY = 16;

export class HashList {
  #bytes = new Uint8Array(FIRST_CAPACITY * HASH_BYTES);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The hash at `index` and the `count − 1` after it: a view, good until the next `set`. */
  view(index: number, count = 1): Uint8Array {
    return this.#bytes.subarray(index * HASH_BYTES, (index + count) * HASH_BYTES);
  }

  equals(index: number, hash: Uint8Array): boolean {
    const at = index * HASH_BYTES;
    for (let i = 0; i < HASH_BYTES; i++) if (this.#bytes[at + i] !== hash[i]) return false;
    return true;
  }

  /** Copies a hash to `index`; to the length, where it is appended. RangeError beyond. */
  set(index: number, hash: Uint8Array): void {
    if (index > this.#length) throw new RangeError(`no place ${index} among ${this.#length} hashes`);
    if (index * HASH_BYTES === this.#bytes.length) this.#grow();
    this.#bytes.set(hash, index * HASH_BYTES);
    if (index === this.#length) this.#length++;
  }

  #grow(): void {
    const bigger = new Uint8Array(2 * this.#bytes.length);
    bigger.set(this.#bytes);
    this.#bytes = bigger;
  }
}
