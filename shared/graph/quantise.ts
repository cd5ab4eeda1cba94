import { INT4_BLOCK } from './limits.ts';

/** Of a matrix, inputs and outputs [first, first + size); the one at (in, out) of it is `data[in · inStride + out · outStride]`. */
export interface Matrix {
  data: Float32Array;
  inSize: number;
  outSize: number;
  inStride: number;
  outStride: number;
  firstIn: number;
  firstOut: number;
}

const INT8_MAX = 127;
const INT8_ZERO = 128;
const INT4_ZERO = 8;

/** Writes the piece to its place in `target` [in, width]. */
export function writeTransposed(target: Float32Array, width: number, piece: Matrix): void {
  const { firstIn, firstOut } = piece;
  forEachTile(piece, (row, out, value) => {
    target[(firstIn + row) * width + firstOut + out] = value;
  });
}

/** Raises `maxima` [out] to the largest magnitude that each output has in the piece. */
export function growMaxima(maxima: Float32Array, piece: Matrix): void {
  const { firstOut } = piece;
  forEachTile(piece, (_row, out, value) => {
    const magnitude = Math.abs(value);
    if (magnitude > maxima[firstOut + out]!) maxima[firstOut + out] = magnitude;
  });
}

/** Turns the largest magnitudes of outputs into their scales: the largest weight becomes ±127. Zero for zeros. */
export function int8Scales(maxima: Float32Array): void {
  for (let out = 0; out < maxima.length; out++) maxima[out] = maxima[out]! / INT8_MAX;
}

/** Writes the piece as int8 to its place in `target` [in, width]; `scales` [width]. */
export function writeInt8(target: Int8Array, width: number, piece: Matrix, scales: Float32Array): void {
  const { firstIn, firstOut } = piece;
  forEachTile(piece, (row, out, value) => {
    const scale = scales[firstOut + out]!;
    target[(firstIn + row) * width + firstOut + out] = scale === 0 ? 0 : Math.round(value / scale);
  });
}

/** Writes whole outputs as int8 to their place in `target` [out, in], as they are stored; `scales` [out]. */
export function writeInt8Rows(
  target: Int8Array,
  { data, inSize, outSize, firstOut }: Matrix,
  scales: Float32Array,
): void {
  for (let out = 0; out < outSize; out++) {
    const scale = scales[firstOut + out]!;
    for (let i = out * inSize; i < (out + 1) * inSize; i++) {
      target[firstOut * inSize + i] = scale === 0 ? 0 : Math.round(data[i]! / scale);
    }
  }
}

/**
 * Writes the piece, which begins at a block's first input, to its places in `scales` float32 [out, blocks], one for each
 * INT4_BLOCK weights of an output, and `values` [out, blocks, INT4_BLOCK / 2], the lower nibble first, 8 being zero.
 */
export function writeInt4(scales: Float32Array, values: Uint8Array, blocks: number, piece: Matrix): void {
  const firstBlock = piece.firstIn / INT4_BLOCK;
  for (let out = 0; out < piece.outSize; out++) {
    for (let block = 0; block * INT4_BLOCK < piece.inSize; block++) {
      const at = (piece.firstOut + out) * blocks + firstBlock + block;
      const scale = int4Scale(piece, out, block);
      scales[at] = scale;
      writeNibbles(values, (at * INT4_BLOCK) / 2, piece, { out, block, scale });
    }
  }
}

/**
 * As `writeInt4` with a byte for each weight, 128 being zero: `values` [out, blocks, INT4_BLOCK]. The largest of a block
 * becomes 128 ± 127.
 */
export function writeInt8Blocks(scales: Float32Array, values: Uint8Array, blocks: number, piece: Matrix): void {
  const { data, inSize, inStride, outStride, firstOut } = piece;
  const firstBlock = piece.firstIn / INT4_BLOCK;
  for (let out = 0; out < piece.outSize; out++) {
    for (let block = 0; block * INT4_BLOCK < inSize; block++) {
      const at = (firstOut + out) * blocks + firstBlock + block;
      const scale = Math.fround(Math.abs(extremeOf(piece, out, block)) / INT8_MAX);
      scales[at] = scale;
      for (let i = 0; i < INT4_BLOCK; i++) {
        const row = block * INT4_BLOCK + i;
        const value = row < inSize && scale !== 0 ? data[row * inStride + out * outStride]! / scale : 0;
        values[at * INT4_BLOCK + i] = Math.round(value) + INT8_ZERO;
      }
    }
  }
}

function writeNibbles(
  values: Uint8Array,
  at: number,
  { data, inSize, inStride, outStride }: Matrix,
  { out, block, scale }: { out: number; block: number; scale: number },
): void {
  for (let i = 0; i < INT4_BLOCK; i++) {
    const row = block * INT4_BLOCK + i;
    const value = row < inSize && scale !== 0 ? data[row * inStride + out * outStride]! / scale : 0;
    const nibble = Math.max(0, Math.min(15, Math.round(value) + INT4_ZERO));
    values[at + (i >> 1)]! |= i % 2 === 0 ? nibble : nibble << 4;
  }
}

/** The block's weight of largest magnitude becomes −8, so that all 16 values are used (as in ggml's Q4_0). */
function int4Scale(piece: Matrix, out: number, block: number): number {
  const extreme = extremeOf(piece, out, block);
  return extreme === 0 ? 0 : Math.fround(extreme / -INT4_ZERO);
}

/** The weight of largest magnitude in a block of an output. */
function extremeOf({ data, inSize, inStride, outStride }: Matrix, out: number, block: number): number {
  let extreme = 0;
  for (let row = block * INT4_BLOCK; row < Math.min(inSize, (block + 1) * INT4_BLOCK); row++) {
    const value = data[row * inStride + out * outStride]!;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  return extreme;
}

/** Square tiles keep both the reads and the writes of a transposition within the cache. */
const TILE = 32;

function forEachTile(
  { data, inSize, outSize, inStride, outStride }: Matrix,
  visit: (row: number, out: number, value: number) => void,
): void {
  for (let rowTile = 0; rowTile < inSize; rowTile += TILE) {
    for (let outTile = 0; outTile < outSize; outTile += TILE) {
      const [rowEnd, outEnd] = [Math.min(inSize, rowTile + TILE), Math.min(outSize, outTile + TILE)];
      for (let out = outTile; out < outEnd; out++) {
        for (let row = rowTile; row < rowEnd; row++) visit(row, out, data[row * inStride + out * outStride]!);
      }
    }
  }
}
