/**
 * SparseLoCo's codec (Sarfi et al., “Communication Efficient LLM Pre-training with SparseLoCo”, 2025): of every block
 * the largest magnitudes, each as its sign and one of two levels. The bytes of a block of n values, `full` being the
 * lesser of `keep` and n:
 *
 *   tag     u8   bits 0–3 the Rice parameter; bit 7: a count follows, because fewer than `full` values are sent
 *   count   u16  less than `full`; a block of which nothing is sent ends here
 *   levels  2 × binary16, positive, the lower first
 *   bits         as in rice.ts: codes (bit 0: negative, bit 1: the higher level), then the gaps of the indices
 */
import { type Block, type BlockCodec, type Entries, placeIn } from './block.ts';
import { invalid } from './invalid.ts';
import { fitLevels, newLevels, setLevels } from './levels.ts';
import { BLOCK_VALUES } from './limits.ts';
import { MAX_RICE_PARAMETER, readBits, riceParameter, writeBits } from './rice.ts';
import { TopSelector } from './top.ts';

const COUNTED = 0x80;
const INFINITE_HALF = 0x7c00;
/** A value's code and gap: with the best parameter never more than with the largest, which leaves one bit of ones. */
const MAX_BITS_OF_VALUE = 2 + MAX_RICE_PARAMETER + 2;

export class SparseCodec implements BlockCodec {
  readonly maxBlockBytes: number;
  readonly #keep: number;
  readonly #top: TopSelector;
  readonly #levels = newLevels();
  readonly #codes = new Uint8Array(BLOCK_VALUES);
  readonly #indices = new Uint16Array(BLOCK_VALUES);

  /** `keep`: values sent of a block, 1 to 4096. */
  constructor(keep: number) {
    this.#keep = keep;
    this.#top = new TopSelector(keep);
    this.maxBlockBytes = 7 + Math.ceil((keep * MAX_BITS_OF_VALUE) / 8);
  }

  maxEntries(size: number): number {
    return Math.min(this.#keep, size);
  }

  encode(block: Block, out: Uint8Array, at: number): number {
    const top = this.#top;
    top.select(block);
    const { count, indices } = top;
    const k = count === 0 ? 0 : riceParameter(indices, count);
    const counted = count < this.maxEntries(block.rows * block.width);
    out[at++] = counted ? COUNTED | k : k;
    if (counted) {
      out[at++] = count & 0xff;
      out[at++] = count >>> 8;
    }
    if (count === 0) return at;
    const magnitudes = top.magnitudes();
    if (!Number.isFinite(magnitudes[count - 1]!)) throw invalid('a value is not a finite number');
    fitLevels(magnitudes, this.#levels);
    for (const pattern of this.#levels.patterns) {
      out[at++] = pattern & 0xff;
      out[at++] = pattern >>> 8;
    }
    this.#take(block);
    return writeBits(indices, this.#codes, count, k, out, at);
  }

  decode(bytes: Uint8Array, at: number, end: number, size: number, base: number, into: Entries): number {
    const full = this.maxEntries(size);
    if (at >= end) throw invalid('it ends before its last block');
    const tag = bytes[at++]!;
    const k = tag & 0x0f;
    if ((tag & 0x70) !== 0 || k > MAX_RICE_PARAMETER) throw invalid(`a block begins with ${tag}`);
    let count = full;
    if (tag & COUNTED) {
      if (at + 2 > end) throw invalid('it ends in the middle of a block');
      count = bytes[at]! | (bytes[at + 1]! << 8);
      at += 2;
      if (count >= full) throw invalid(`a block counts ${count} values where fewer than ${full} belong`);
      if (count === 0 && k !== 0) throw invalid('an empty block has a parameter');
      if (count === 0) return at;
    }
    if (at + 4 > end) throw invalid('it ends in the middle of a block');
    const { patterns, values } = this.#levels;
    patterns[0] = bytes[at]! | (bytes[at + 1]! << 8);
    patterns[1] = bytes[at + 2]! | (bytes[at + 3]! << 8);
    if (patterns[0] === 0 || patterns[0] > patterns[1]! || patterns[1]! >= INFINITE_HALF) {
      throw invalid('a block’s levels are not two ascending positive numbers');
    }
    setLevels(this.#levels);
    const stop = readBits(bytes, at + 4, end, k, size, count, this.#indices, this.#codes);
    for (let i = 0; i < count; i++) {
      const code = this.#codes[i]!;
      const level = values[code >> 1]!;
      into.positions[into.count] = base + this.#indices[i]!;
      into.values[into.count++] = code & 1 ? -level : level;
    }
    return stop;
  }

  /** Chooses the codes and subtracts from the values what they say. */
  #take(block: Block): void {
    const { values } = block;
    const { indices, count } = this.#top;
    const { middle } = this.#levels;
    const lower = this.#levels.values[0]!;
    const upper = this.#levels.values[1]!;
    for (let i = 0; i < count; i++) {
      const place = placeIn(block, indices[i]!);
      const value = values[place]!;
      const high = Math.abs(value) > middle;
      const level = high ? upper : lower;
      this.#codes[i] = (value < 0 ? 1 : 0) | (high ? 2 : 0);
      values[place] = value < 0 ? value + level : value - level;
    }
  }
}
