/**
 * Which entry a transaction's hash belongs to: the first 4 bytes of each, one after the other. Going through a million
 * of them takes a millisecond, where an index by the whole hash would take a hundred times their memory.
 */
import { TILE_ENTRIES } from '../ledger/limits.ts';

export class HashIndex {
  #beginnings = new Uint32Array(TILE_ENTRIES);
  #size = 0;

  /** Entries of the log. */
  get size(): number {
    return this.#size;
  }

  /** @param hash of the next entry's transaction, if it is one */
  append(hash: Uint8Array | undefined): void {
    this.#push(hash ? beginningOf(hash) : 0);
  }

  /** Entries whose transaction may have this hash; others may have the same beginning. */
  *find(hash: Uint8Array): Generator<number> {
    const beginning = beginningOf(hash);
    const known = this.#beginnings.subarray(0, this.#size);
    for (let at = known.indexOf(beginning); at !== -1; at = known.indexOf(beginning, at + 1)) yield at;
  }

  /** The row of a tile: 4 bytes an entry. */
  rowOf(tile: number): Uint8Array {
    const entries = this.#beginnings.subarray(tile * TILE_ENTRIES, Math.min(this.#size, (tile + 1) * TILE_ENTRIES));
    const view = new DataView(new ArrayBuffer(4 * entries.length));
    for (const [i, beginning] of entries.entries()) view.setUint32(4 * i, beginning, true);
    return new Uint8Array(view.buffer);
  }

  /** Appends the first `count` entries of a row. RangeError where it has fewer. */
  appendRow(row: Uint8Array, count: number): void {
    const view = new DataView(row.buffer, row.byteOffset, row.length);
    for (let i = 0; i < count; i++) this.#push(view.getUint32(4 * i, true));
  }

  #push(beginning: number): void {
    if (this.#size === this.#beginnings.length) {
      const bigger = new Uint32Array(2 * this.#size);
      bigger.set(this.#beginnings);
      this.#beginnings = bigger;
    }
    this.#beginnings[this.#size++] = beginning;
  }
}

function beginningOf(hash: Uint8Array): number {
  return new DataView(hash.buffer, hash.byteOffset, hash.length).getUint32(0, true);
}
