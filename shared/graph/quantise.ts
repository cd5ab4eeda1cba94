import { INT4_BLOCK } from './limits.ts';

/** A matrix of floats, `at(in, out)` being `data[in · inStride + out · outStride]`. */
export interface Matrix {
  data: Float32Array;
  inSize: number;
  outSize: number;
  inStride: number;
  outStride: number;
}

const INT8_MAX = 127;
const INT4_ZERO = 8;

/** Writes `matrix` as [in, out] into columns `column…` of `target`, which has `width` columns. */
export function writeTransposed(target: Float32Array, width: number, column: number, matrix: Matrix): void {
  forEachTile(matrix, (row, out, value) => {
    target[row * width + column + out] = value;
  });
}

/** One scale per output, so that its largest weight becomes ±127. Zero for a column of zeros. */
export function int8Scales({ data, inSize, outSize, inStride, outStride }: Matrix): Float32Array {
  const scales = new Float32Array(outSize);
  for (let out = 0; out < outSize; out++) {
    let largest = 0;
    for (let row = 0; row < inSize; row++) {
      largest = Math.max(largest, Math.abs(data[row * inStride + out * outStride]!));
    }
    scales[out] = largest / INT8_MAX;
  }
  return scales;
}

/** Writes the matrix as int8 [in, out] into columns `column…` of `target`, which has `width` columns. */
export function writeInt8(
  target: Int8Array,
  width: number,
  column: number,
  matrix: Matrix,
  scales: Float32Array,
): void {
  forEachTile(matrix, (row, out, value) => {
    target[row * width + column + out] = scales[out] === 0 ? 0 : Math.round(value / scales[out]!);
  });
}

/** Float scales, one for each block of `INT4_BLOCK` weights of an output: [out, blocks]. */
export function int4Scales(matrix: Matrix): Float32Array {
  const blocks = Math.ceil(matrix.inSize / INT4_BLOCK);
  const scales = new Float32Array(matrix.outSize * blocks);
  for (let out = 0; out < matrix.outSize; out++) {
    for (let block = 0; block < blocks; block++) scales[out * blocks + block] = int4Scale(matrix, out, block);
  }
  return scales;
}

/** Nibbles [out, blocks, INT4_BLOCK / 2], the lower one first, 8 standing for zero. */
export function int4Values(matrix: Matrix, scales: Float32Array): Uint8Array {
  const { data, inSize, outSize, inStride, outStride } = matrix;
  const blocks = Math.ceil(inSize / INT4_BLOCK);
  const values = new Uint8Array((outSize * blocks * INT4_BLOCK) / 2);
  for (let out = 0; out < outSize; out++) {
    for (let block = 0; block < blocks; block++) {
      const scale = scales[out * blocks + block]!;
      for (let i = 0; i < INT4_BLOCK; i++) {
        const row = block * INT4_BLOCK + i;
        const value = row < inSize && scale !== 0 ? data[row * inStride + out * outStride]! / scale : 0;
        const nibble = Math.max(0, Math.min(15, Math.round(value) + INT4_ZERO));
        values[((out * blocks + block) * INT4_BLOCK + i) >> 1]! |= i % 2 === 0 ? nibble : nibble << 4;
      }
    }
  }
  return values;
}

/** The block's weight of largest magnitude becomes −8, so that all 16 values are used (as in ggml's Q4_0). */
function int4Scale({ data, inSize, inStride, outStride }: Matrix, out: number, block: number): number {
  let extreme = 0;
  for (let row = block * INT4_BLOCK; row < Math.min(inSize, (block + 1) * INT4_BLOCK); row++) {
    const value = data[row * inStride + out * outStride]!;
    if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  }
  return extreme === 0 ? 0 : Math.fround(extreme / -INT4_ZERO);
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
