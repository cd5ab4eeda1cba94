import { type Block, placeIn } from './block.ts';
import { BLOCK_VALUES } from './limits.ts';

/** Smaller magnitudes than the smallest of binary16, 2^-24, are never sent: they stay in the error feedback. */
export const SMALLEST_BITS = 0x3380_0000;
const MAGNITUDE = 0x7fff_ffff;
/** The next block's first guess is some 8% below the threshold of this one. */
const GUESS_SLACK = 1 << 20;
/** More candidates than so many times what is kept are narrowed down before they are sorted. */
const MOST_CANDIDATES = 8;
const BUCKET_SHIFT = 19;

/**
 * The `keep` largest magnitudes of a block; among equal ones the first. Magnitudes compare as the bit patterns of
 * their floats do. One pass collects what exceeds a guess made from the block before; if the guess was bad, a
 * histogram of the leading bits finds a good one. The result does not depend on the guess.
 */
export class TopSelector {
  /** Ascending; the first `count` are valid. */
  readonly indices = new Uint16Array(BLOCK_VALUES);
  count = 0;
  readonly #keep: number;
  readonly #candidates = new Uint32Array(BLOCK_VALUES);
  readonly #candidateValues = new Float32Array(this.#candidates.buffer);
  readonly #histogram = new Uint16Array(2 ** (31 - BUCKET_SHIFT));
  #guess = SMALLEST_BITS;
  #found = 0;

  constructor(keep: number) {
    this.#keep = keep;
  }

  select(block: Block): void {
    const full = Math.min(this.#keep, block.rows * block.width);
    this.#collect(block, this.#guess);
    const few = this.#found < full && this.#guess > SMALLEST_BITS;
    if (few || this.#found > MOST_CANDIDATES * full) this.#collect(block, this.#threshold(block, full));
    this.count = Math.min(full, this.#found);
    if (this.count === 0) return;
    const candidates = this.#candidates;
    candidates.subarray(0, this.#found).sort();
    const least = candidates[this.#found - this.count]!;
    let ties = 0;
    for (let i = this.#found - this.count; i < this.#found && candidates[i] === least; i++) ties++;
    this.#keepFrom(block, least, ties);
    if (this.count === this.#keep) this.#guess = Math.max(SMALLEST_BITS, least - GUESS_SLACK);
  }

  /** The selected magnitudes, ascending: a view, good until the next `select`. */
  magnitudes(): Float32Array {
    return this.#candidateValues.subarray(this.#found - this.count, this.#found);
  }

  #collect({ bits, start, rows, width, stride }: Block, threshold: number): void {
    const { indices } = this;
    const candidates = this.#candidates;
    let found = 0;
    for (let row = 0; row < rows; row++) {
      const at = start + row * stride;
      for (let i = 0; i < width; i++) {
        const magnitude = bits[at + i]! & MAGNITUDE;
        if (magnitude >= threshold) {
          candidates[found] = magnitude;
          indices[found++] = row * width + i;
        }
      }
    }
    this.#found = found;
  }

  /** Of the candidates, those above `least` and the first `ties` that equal it. */
  #keepFrom(block: Block, least: number, ties: number): void {
    const { indices } = this;
    let kept = 0;
    for (let i = 0; i < this.#found; i++) {
      const index = indices[i]!;
      const magnitude = block.bits[placeIn(block, index)]! & MAGNITUDE;
      if (magnitude > least || (magnitude === least && ties-- > 0)) indices[kept++] = index;
    }
  }

  /** A bound that at least `full` magnitudes reach, few more; or the smallest one there is. */
  #threshold({ bits, start, rows, width, stride }: Block, full: number): number {
    const histogram = this.#histogram.fill(0);
    for (let row = 0; row < rows; row++) {
      const at = start + row * stride;
      for (let i = 0; i < width; i++) histogram[(bits[at + i]! & MAGNITUDE) >>> BUCKET_SHIFT]!++;
    }
    let bucket = histogram.length - 1;
    const smallest = SMALLEST_BITS >>> BUCKET_SHIFT;
    for (let above = histogram[bucket]!; above < full && bucket > smallest; above += histogram[bucket]!) bucket--;
    return Math.max(SMALLEST_BITS, bucket * 2 ** BUCKET_SHIFT);
  }
}
