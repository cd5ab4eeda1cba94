/**
 * A Merkle tree over records that change: RFC 6962 hashing over the records in the order they first appeared. Changing
 * a record costs the hashes on its way up, and a record can be shown to belong to the root like an entry of the log.
 * A record takes some 64 bytes: the hashes of each level lie in one buffer.
 */
import { HashList } from './hash-list.ts';
import { EMPTY_ROOT, hashLeaf, hashPair } from './merkle.ts';

export class RecordTree {
  /** #levels[k] at i covers records [i·2^k, (i+1)·2^k); an odd last node is carried up as it is, as RFC 6962 splits. */
  readonly #levels = [new HashList()];
  /** Positions changed since the last root, each once; #isDirty has a byte for each record. */
  #dirty: number[] = [];
  #isDirty = new Uint8Array(64);

  get size(): number {
    return this.#levels[0]!.length;
  }

  /** Replaces the record at `position`, or appends it where `position` is the size. RangeError beyond. */
  set(position: number, record: Uint8Array): void {
    if (position < 0 || position > this.size) throw new RangeError(`no place ${position} among ${this.size} records`);
    this.#levels[0]!.set(position, hashLeaf(record));
    if (position >= this.#isDirty.length) this.#isDirty = doubled(this.#isDirty);
    if (this.#isDirty[position] === 1) return;
    this.#isDirty[position] = 1;
    this.#dirty.push(position);
  }

  root(): Uint8Array {
    // In order, because a level may only grow at its end; and so that siblings stand beside each other.
    let dirty = Uint32Array.from(this.#dirty).sort();
    for (const position of dirty) this.#isDirty[position] = 0;
    this.#dirty = [];
    for (let level = 0; this.#levels[level]!.length > 1; level++) {
      this.#levels[level + 1] ??= new HashList();
      dirty = raise(dirty, this.#levels[level]!, this.#levels[level + 1]!);
    }
    const top = this.#levels.at(-1)!;
    return top.length === 0 ? EMPTY_ROOT : top.view(0).slice();
  }
}

/** Hashes the parents of the `dirty` nodes of a level anew; their indices, in the same buffer. */
function raise(dirty: Uint32Array<ArrayBuffer>, below: HashList, above: HashList): Uint32Array<ArrayBuffer> {
  let parents = 0;
  for (const index of dirty) {
    const parent = Math.floor(index / 2);
    if (parents > 0 && dirty[parents - 1] === parent) continue;
    const isPair = 2 * parent + 1 < below.length;
    above.set(parent, isPair ? hashPair(below.view(2 * parent, 2)) : below.view(2 * parent));
    dirty[parents++] = parent;
  }
  return dirty.subarray(0, parents);
}

function doubled(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const bigger = new Uint8Array(2 * bytes.length);
  bigger.set(bytes);
  return bigger;
}
