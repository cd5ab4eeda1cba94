/**
 * A Merkle tree over records that change: RFC 6962 hashing over the records in the order they first appeared. Changing
 * a record costs the hashes on its way up, and a record can be shown to belong to the root like an entry of the log.
 */
import { EMPTY_ROOT, hashLeaf, hashNode } from './merkle.ts';

export class RecordTree {
  /** #levels[k][i] covers records [i·2^k, (i+1)·2^k); an odd last node is carried up as it is, as RFC 6962 splits. */
  readonly #levels: Uint8Array[][] = [[]];
  readonly #dirty = new Set<number>();

  get size(): number {
    return this.#levels[0]!.length;
  }

  /** Replaces the record at `position`, or appends it where `position` is the size. RangeError beyond. */
  set(position: number, record: Uint8Array): void {
    if (position < 0 || position > this.size) throw new RangeError(`no place ${position} among ${this.size} records`);
    this.#levels[0]![position] = hashLeaf(record);
    this.#dirty.add(position);
  }

  root(): Uint8Array {
    let dirty: Iterable<number> = this.#dirty;
    for (let level = 0; this.#levels[level]!.length > 1; level++) {
      const below = this.#levels[level]!;
      this.#levels[level + 1] ??= [];
      const above = this.#levels[level + 1]!;
      const parents = new Set<number>();
      for (const index of dirty) parents.add(Math.floor(index / 2));
      // In order, because a level may only grow at its end.
      for (const parent of [...parents].sort((a, b) => a - b)) {
        const [left, right] = [below[2 * parent]!, below[2 * parent + 1]];
        above[parent] = right === undefined ? left : hashNode(left, right);
      }
      dirty = parents;
    }
    this.#dirty.clear();
    return this.#levels[this.#levels.length - 1]![0] ?? EMPTY_ROOT;
  }
}
