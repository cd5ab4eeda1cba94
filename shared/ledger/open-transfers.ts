/** Places of the transfers that still wait for verifications, ascending. */

/** Compacting is worth it only then, and is paid for by as many removals. */
const MIN_REMOVED = 1024;

export class OpenTransfers {
  /** May hold places that were removed since. */
  #places: number[] = [];
  readonly #open = new Set<number>();

  get size(): number {
    return this.#open.size;
  }

  /** A new place is higher than all before it. */
  add(place: number): void {
    this.#places.push(place);
    this.#open.add(place);
  }

  delete(place: number): void {
    this.#open.delete(place);
    if (this.#places.length - this.#open.size > Math.max(MIN_REMOVED, this.#open.size)) {
      this.#places = this.#places.filter((each) => this.#open.has(each));
    }
  }

  /** The open places from the first on for which `reached` holds; it must hold for all behind that one, too. */
  *from(reached: (place: number) => boolean): Generator<number> {
    let [low, high] = [0, this.#places.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (reached(this.#places[middle]!)) high = middle;
      else low = middle + 1;
    }
    for (let i = low; i < this.#places.length; i++) {
      if (this.#open.has(this.#places[i]!)) yield this.#places[i]!;
    }
  }
}
