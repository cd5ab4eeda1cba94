/** Token ids as a max-heap by weight; of equal weights the lower id comes first. */
export class Candidates {
  readonly #weights: Float64Array;
  readonly #heap: Int32Array;
  #size: number;

  /** All ids of `weights`, in linear time. */
  constructor(weights: Float64Array) {
    this.#weights = weights;
    this.#heap = Int32Array.from(weights.keys());
    this.#size = weights.length;
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#sink(at);
  }

  get size(): number {
    return this.#size;
  }

  /** Takes the id of the largest weight; there must be one. */
  pop(): number {
    const top = this.#heap[0]!;
    this.#heap[0] = this.#heap[--this.#size]!;
    this.#sink(0);
    return top;
  }

  #sink(from: number): void {
    const id = this.#heap[from]!;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#before(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!this.#before(this.#heap[child]!, id)) break;
      this.#heap[at] = this.#heap[child]!;
      at = child;
    }
    this.#heap[at] = id;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#weights[a]! - this.#weights[b]!;
    return difference > 0 || (difference === 0 && a < b);
  }
}
