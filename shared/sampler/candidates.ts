/**
 * Ids of all weights above a cutoff, the highest power-of-two step below the largest weight (1) whose ids are `enough`
 * by their count or the sum of their weights. A few passes over a vocabulary, where a heap of all of it costs dozens.
 */
export function likely(weights: Float64Array, enough: (count: number, sum: number) => boolean): Int32Array {
  for (let width = 2; ; width *= 2) {
    // exp underflows at 745: then every id counts.
    const cutoff = width > 1024 ? 0 : Math.exp(-width);
    let count = 0;
    let sum = 0;
    for (let id = 0; id < weights.length; id++) {
      const weight = weights[id]!;
      if (weight < cutoff) continue;
      count++;
      sum += weight;
    }
    if (cutoff > 0 && !enough(count, sum)) continue;
    const ids = new Int32Array(count);
    let at = 0;
    for (let id = 0; id < weights.length; id++) if (weights[id]! >= cutoff) ids[at++] = id;
    return ids;
  }
}

/** Token ids as a max-heap by weight; of equal weights the lower id comes first. */
export class Candidates {
  readonly #weights: Float64Array;
  readonly #heap: Int32Array;
  #size: number;

  /** In linear time. */
  constructor(weights: Float64Array, ids: Int32Array) {
    this.#weights = weights;
    this.#heap = ids;
    this.#size = ids.length;
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
