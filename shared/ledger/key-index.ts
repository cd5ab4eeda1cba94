/**
 * Places by key, for keys of 32 bytes that nobody can choose freely (hashes, public keys). A hash table with open
 * addressing over keys that lie in one buffer: a `Map` by hex costs five times the memory, and most of a replay.
 */
import { HASH_BYTES } from './binary.ts';
import { HashList } from './hash-list.ts';

const FIRST_SLOTS = 64;
/** Multiply-shift hashing: with a multiplier that nobody knows, nobody can make keys that collide. It decides nothing. */
const MULTIPLIER = Math.floor(Math.random() * 2 ** 31) * 2 + 1;

export class KeyIndex {
  readonly #keys = new HashList();
  /** Place + 1 of the key; 0 where there is none. Never more than half full. */
  #slots = new Uint32Array(FIRST_SLOTS);

  /** Keys, each of which has the place that this was before it came. */
  get size(): number {
    return this.#keys.length;
  }

  get(key: Uint8Array): number | undefined {
    if (key.length !== HASH_BYTES) return undefined;
    const place = this.#slots[this.#slotOf(key)]!;
    return place === 0 ? undefined : place - 1;
  }

  /** Appends a key that is not there yet. RangeError unless it has 32 bytes. */
  add(key: Uint8Array): void {
    if (key.length !== HASH_BYTES) throw new RangeError(`a key has ${HASH_BYTES} bytes`);
    if (2 * (this.size + 1) > this.#slots.length) this.#grow();
    const slot = this.#slotOf(key);
    this.#keys.set(this.size, key);
    this.#slots[slot] = this.size;
  }

  /** Where the key is, or the free slot where it would be. */
  #slotOf(key: Uint8Array): number {
    const mask = this.#slots.length - 1;
    const beginning = key[0]! | (key[1]! << 8) | (key[2]! << 16) | (key[3]! << 24);
    let slot = Math.imul(beginning, MULTIPLIER) >>> (Math.clz32(mask) % 32);
    for (let place = this.#slots[slot]!; place !== 0; place = this.#slots[slot]!) {
      if (this.#keys.equals(place - 1, key)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #grow(): void {
    this.#slots = new Uint32Array(2 * this.#slots.length);
    for (let place = 0; place < this.size; place++) this.#slots[this.#slotOf(this.#keys.view(place))] = place + 1;
  }
}
