import type { Entries } from '../codec/block.ts';

const NOTHING_LEFT = 0xffff_ffff;

/**
 * Goes through the coordinates of a slab that anybody sent, in ascending order of their positions. The senders of the
 * coordinate it is at stand in the order of the contributions.
 */
export class SenderMerge {
  position = 0;
  /** Senders of the coordinate; so many of `who` and `values` are valid. */
  count = 0;
  readonly who: Uint16Array;
  readonly values: Float64Array;
  readonly #next: Uint32Array;
  readonly #at: Uint32Array;
  #entries: readonly Entries[] = [];

  constructor(contributions: number) {
    this.who = new Uint16Array(contributions);
    this.values = new Float64Array(contributions);
    this.#next = new Uint32Array(contributions);
    this.#at = new Uint32Array(contributions);
  }

  /** Begins a slab, with the entries of every contribution. */
  start(entries: readonly Entries[]): void {
    this.#entries = entries;
    this.#at.fill(0);
    for (const [k, { positions, count }] of entries.entries()) this.#next[k] = count > 0 ? positions[0]! : NOTHING_LEFT;
  }

  /** Goes to the next coordinate below `end`; false if there is none. */
  next(end: number): boolean {
    const next = this.#next;
    let least = NOTHING_LEFT;
    for (let k = 0; k < next.length; k++) if (next[k]! < least) least = next[k]!;
    if (least >= end) return false;
    this.position = least;
    let found = 0;
    for (let k = 0; k < next.length; k++) {
      if (next[k] !== least) continue;
      const { positions, values, count } = this.#entries[k]!;
      const at = this.#at[k]!++;
      this.who[found] = k;
      this.values[found++] = values[at]!;
      next[k] = at + 1 < count ? positions[at + 1]! : NOTHING_LEFT;
    }
    this.count = found;
    return true;
  }

  /** The largest magnitude that each contribution still has below `end`. */
  peaks(end: number, into: Float64Array): void {
    for (const [k, { positions, values, count }] of this.#entries.entries()) {
      let peak = 0;
      for (let i = this.#at[k]!; i < count && positions[i]! < end; i++) peak = Math.max(peak, Math.abs(values[i]!));
      into[k] = peak;
    }
  }
}
