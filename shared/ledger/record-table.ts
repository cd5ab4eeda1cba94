/**
 * Records of one kind in the order of their first appearance, found by key or by place, with a Merkle tree over them.
 * A record is encoded and hashed when the root is asked for, however often it changed until then.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { RecordTree } from './record-tree.ts';

interface Placed<T> {
  readonly place: number;
  value: T;
}

export class RecordTable<T> {
  readonly #keyOf: (record: T) => Uint8Array;
  readonly #encode: (record: T) => Uint8Array;
  /** By hex of the key. */
  readonly #byKey = new Map<string, Placed<T>>();
  readonly #inOrder: Placed<T>[] = [];
  readonly #tree = new RecordTree();
  /** Places of what changed since the tree was last brought up to date; new ones in ascending order. */
  readonly #dirty = new Set<number>();

  constructor(keyOf: (record: T) => Uint8Array, encode: (record: T) => Uint8Array) {
    this.#keyOf = keyOf;
    this.#encode = encode;
  }

  get size(): number {
    return this.#inOrder.length;
  }

  get(key: Uint8Array): T | undefined {
    return this.#byKey.get(bytesToHex(key))?.value;
  }

  at(place: number): T | undefined {
    return this.#inOrder[place]?.value;
  }

  /** Undefined where there is no such record. */
  placeOf(key: Uint8Array): number | undefined {
    return this.#byKey.get(bytesToHex(key))?.place;
  }

  values(): T[] {
    return this.#inOrder.map(({ value }) => value);
  }

  /** Puts a record in the place of the old one, or behind all others. Returns the old one. */
  put(record: T): T | undefined {
    const key = bytesToHex(this.#keyOf(record));
    const placed = this.#byKey.get(key);
    if (!placed) {
      const added = { place: this.#inOrder.length, value: record };
      this.#byKey.set(key, added);
      this.#inOrder.push(added);
      this.#dirty.add(added.place);
      return undefined;
    }
    const old = placed.value;
    placed.value = record;
    this.#dirty.add(placed.place);
    return old;
  }

  root(): Uint8Array {
    for (const place of this.#dirty) this.#tree.set(place, this.#encode(this.#inOrder[place]!.value));
    this.#dirty.clear();
    return this.#tree.root();
  }
}
