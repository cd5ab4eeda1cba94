/** What every codec does with one block; they differ in the bytes between. */

/** A block where it lies in its slab: `rows` runs of `width` values, `stride` apart. Its indices count row by row. */
export interface Block {
  readonly values: Float32Array;
  /** The same memory as bit patterns. */
  readonly bits: Uint32Array;
  start: number;
  rows: number;
  width: number;
  stride: number;
}

/** Where the value with an index lies. */
export function placeIn(block: Block, index: number): number {
  const row = Math.floor(index / block.width);
  return block.start + row * block.stride + (index - row * block.width);
}

/** Decoded values of a slab: positions count through its blocks one after the other, each row-major, and ascend. */
export interface Entries {
  positions: Uint32Array;
  values: Float32Array;
  count: number;
}

/** Stateful in nothing but scratch memory and guesses that only change the time taken. */
export interface BlockCodec {
  /** Most bytes that a block of 4096 values takes. */
  readonly maxBlockBytes: number;
  /** Most values that come out of a block of `size`. */
  maxEntries(size: number): number;
  /**
   * Writes the block at `at` of `out` and returns where it ended; leaves in the block what was not sent. Throws
   * UPDATE_INVALID for values that are not finite.
   */
  encode(block: Block, out: Uint8Array, at: number): number;
  /**
   * Reads a block of `size` values from `at` on, appends its entries at positions from `base` on, and returns where it
   * ended. Nothing from `end` on is part of the bytes. Throws UPDATE_INVALID.
   */
  decode(bytes: Uint8Array, at: number, end: number, size: number, base: number, into: Entries): number;
}
