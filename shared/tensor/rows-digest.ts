/** What both ends of a link say of the rows that passed it: they can compare without the rows. */
import { concatBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../bytes/sha256-sync.ts';

const HASH_BYTES = 32;

/** Keeps SHA-256 of each row, or the row where that is shorter, so that what came from one position on can be told at any time. */
export class RowsDigest {
  readonly #rowBytes: number;
  /** Position of the first row. */
  readonly #start: number;
  readonly #hashes: Uint8Array[] = [];

  constructor(rowBytes: number, start = 0) {
    this.#rowBytes = rowBytes;
    this.#start = start;
  }

  /**
   * `payload`: whole rows from `position` on, as they go over the wire. They take the place of what was there from that
   * position on; there is no gap before them.
   */
  put(position: number, payload: Uint8Array): void {
    this.#hashes.length = Math.max(0, Math.min(this.#hashes.length, position - this.#start));
    for (let at = 0; at + this.#rowBytes <= payload.length; at += this.#rowBytes) {
      const row = payload.slice(at, at + this.#rowBytes);
      this.#hashes.push(row.length <= HASH_BYTES ? row : sha256(row));
    }
  }

  /** SHA-256 over the hashes of the rows `from` ≤ position < `to`, as far as they are there. */
  digest(from: number, to: number): Uint8Array<ArrayBuffer> {
    const [start, end] = [from - this.#start, to - this.#start];
    return sha256(concatBytes(...this.#hashes.slice(Math.max(0, start), Math.max(0, end))));
  }
}
