/** Places of the transfers that still wait for verifications, ascending. */

/** Compacting is worth it only then, and is paid for by as many removals. */
const MIN_REMOVED = 1024;

interface Open {
  place: number;
  /** Of the transfer's entry in the log. */
  index: number;
}

export class OpenTransfers {
  /** May hold some that were removed since. */
  #all: Open[] = [];
  readonly #open = new Set<number>();

  get size(): number {
    return this.#open.size;
  }

  /** A new place is higher than all before it, and so is its index. */
  add(place: number, index: number): void {
    this.#all.push({ place, index });
    this.#open.add(place);
  }

  delete(place: number): void {
    this.#open.delete(place);
    if (this.#all.length - this.#open.size > Math.max(MIN_REMOVED, this.#open.size)) {
      this.#all = this.#all.filter((each) => this.#open.has(each.place));
    }
  }

  /** The open places of the log's entries from `index` on. */
  *from(index: number): Generator<number> {
    let [low, high] = [0, this.#all.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#all[middle]!.index >= index) high = middle;
      else low = middle + 1;
    }
    for (const { place } of this.#all.slice(low)) if (this.#open.has(place)) yield place;
  }
}
