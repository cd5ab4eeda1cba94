/**
 * Records of one kind in the order of their first appearance, found by key or by place, with a Merkle tree over them.
 * A record is encoded and hashed when the root is asked for, however often it changed until then.
 */
import { KeyIndex } from './key-index.ts';
import { RecordTree } from './record-tree.ts';

export class RecordTable<T> {
  readonly #keyOf: (record: T) => Uint8Array;
  readonly #encode: (record: T) => Uint8Array;
  readonly #places = new KeyIndex();
  /** Undefined where it was forgotten. */
  readonly #inOrder: (T | undefined)[] = [];
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
    const place = this.#places.get(key);
    return place === undefined ? undefined : this.#inOrder[place];
  }

  at(place: number): T | undefined {
    return this.#inOrder[place];
  }

  /** Undefined where there is no such record. */
  placeOf(key: Uint8Array): number | undefined {
    return this.#places.get(key);
  }

  /** Those that were not forgotten. */
  values(): T[] {
    return this.#inOrder.filter((value) => value !== undefined);
  }

  /** Puts a record in the place of the old one, or behind all others. Returns the old one. */
  put(record: T): T | undefined {
    const key = this.#keyOf(record);
    const place = this.#places.get(key);
    if (place === undefined) {
      this.#places.add(key);
      this.#dirty.add(this.#inOrder.length);
      this.#inOrder.push(record);
      return undefined;
    }
    const old = this.#inOrder[place];
    this.#inOrder[place] = record;
    this.#dirty.add(place);
    return old;
  }

  /** Appends a record whose canonical bytes are at hand, or only its key, place and hash. Nothing may be dirty. */
  restore(key: Uint8Array, bytes: Uint8Array, record: T | undefined): void {
    this.#tree.set(this.#inOrder.length, bytes);
    this.#places.add(key);
    this.#inOrder.push(record);
  }

  /** Drops a record that nobody reads any more; its hash and its place stay. */
  forget(place: number): void {
    if (this.#dirty.has(place)) this.#updateTree();
    this.#inOrder[place] = undefined;
  }

  root(): Uint8Array {
    this.#updateTree();
    return this.#tree.root();
  }

  #updateTree(): void {
    for (const place of this.#dirty) this.#tree.set(place, this.#encode(this.#inOrder[place]!));
    this.#dirty.clear();
  }
}
