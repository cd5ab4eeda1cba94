/** The cross-entropy of logits that are never there all at once: tile by tile of the vocabulary. Pure, in f64. */

/** The columns `start` to `end` of the logits. */
export interface Tile {
  start: number;
  end: number;
}

/** Tiles of the vocabulary with at most `rows` columns; all but the last are equal. */
export function tilesOf(vocabSize: number, rows: number): Tile[] {
  const count = Math.ceil(vocabSize / rows);
  const size = Math.ceil(vocabSize / count);
  return Array.from({ length: count }, (_, i) => ({ start: i * size, end: Math.min(vocabSize, (i + 1) * size) }));
}

export class HeadLoss {
  /** Of each row in the mean: 0 where its target does not count. */
  readonly weight: Float32Array;
  readonly #targets: Int32Array;
  /** Of the target of each row. */
  readonly #logits: Float64Array;
  readonly #logSums: Float64Array;

  constructor(targets: Int32Array) {
    const count = targets.reduce((sum, target) => sum + Number(target >= 0), 0);
    this.#targets = targets;
    this.weight = Float32Array.from(targets, (target) => (target >= 0 ? 1 / Math.max(count, 1) : 0));
    this.#logits = new Float64Array(targets.length);
    this.#logSums = new Float64Array(targets.length).fill(Number.NEGATIVE_INFINITY);
  }

  /** Takes a tile's logits [n, columns] and the logarithms of the sums of their exponentials [n]. */
  add({ start, end }: Tile, logits: Float32Array, logSums: Float32Array): void {
    for (const [row, target] of this.#targets.entries()) {
      if (target >= start && target < end) this.#logits[row] = logits[row * (end - start) + target - start]!;
      this.#logSums[row] = logAdd(this.#logSums[row]!, logSums[row]!);
    }
  }

  /** Over all tiles: the logarithm of the sum of exponentials [n]. */
  get logSums(): Float32Array {
    return Float32Array.from(this.#logSums);
  }

  /** The mean over the targets that count; 0 where none does. */
  get loss(): number {
    return this.weight.reduce((sum, weight, row) => {
      return weight === 0 ? sum : sum + weight * (this.#logSums[row]! - this.#logits[row]!);
    }, 0);
  }

  /** Of each row the target's column in a tile, and minus its weight; 0 and 0 where it lies in another. */
  hits({ start, end }: Tile): { column: Int32Array; hit: Float32Array } {
    const inTile = (target: number) => target >= start && target < end;
    const column = this.#targets.map((target) => (inTile(target) ? target - start : 0));
    const hit = this.weight.map((weight, row) => (inTile(this.#targets[row]!) ? -weight : 0));
    return { column, hit };
  }
}

/** log(exp(a) + exp(b)); a may be −∞. */
function logAdd(a: number, b: number): number {
  const [low, high] = a < b ? [a, b] : [b, a];
  return high + Math.log1p(Math.exp(low - high));
}
