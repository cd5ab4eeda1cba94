/** The rows of a tensor frame in their formats on the wire. */
import { floatToHalf, halfToFloat } from './half.ts';

/** f32: as is. f16: IEEE 754 binary16. int8: per row a f32 scale and int8 values, value = scale × int8. */
export const WIRE_DTYPES = ['f32', 'f16', 'int8'] as const;
export type WireDtype = (typeof WIRE_DTYPES)[number];

export function payloadBytes(rows: number, columns: number, dtype: WireDtype): number {
  if (dtype === 'int8') return 4 * rows + rows * columns;
  return rows * columns * (dtype === 'f32' ? 4 : 2);
}

/** `data` is row-major [rows, columns], float32. The result may share its memory. */
export function encodeRows(data: Float32Array, rows: number, dtype: WireDtype): Uint8Array {
  if (dtype === 'f32') return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (dtype === 'f16') return new Uint8Array(floatToHalf(data).buffer);
  return quantiseRows(data, rows);
}

/** Rows that were encoded one by one, one after the other, as `encodeRows` gives them together. May share memory. */
export function joinRows(each: Uint8Array, rows: number, dtype: WireDtype): Uint8Array {
  if (dtype !== 'int8') return each;
  const rowBytes = each.length / rows;
  const joined = new Uint8Array(each.length);
  for (let row = 0; row < rows; row++) {
    const start = row * rowBytes;
    joined.set(each.subarray(start, start + 4), 4 * row);
    joined.set(each.subarray(start + 4, start + rowBytes), 4 * rows + row * (rowBytes - 4));
  }
  return joined;
}

/** The opposite of `joinRows`. May share memory. */
export function splitRows(joined: Uint8Array, rows: number, dtype: WireDtype): Uint8Array {
  if (dtype !== 'int8') return joined;
  const valueBytes = joined.length / rows - 4;
  const each = new Uint8Array(joined.length);
  for (let row = 0; row < rows; row++) {
    const start = row * (valueBytes + 4);
    each.set(joined.subarray(4 * row, 4 * row + 4), start);
    each.set(joined.subarray(4 * rows + row * valueBytes, 4 * rows + (row + 1) * valueBytes), start + 4);
  }
  return each;
}

/** `payload` has `payloadBytes(rows, columns, dtype)` bytes at any alignment. */
export function decodeRows(payload: Uint8Array, rows: number, columns: number, dtype: WireDtype): Float32Array {
  // A copy by the constructor: `slice` of a Node Buffer would be a view.
  const { buffer } = new Uint8Array(payload);
  if (dtype === 'f32') return new Float32Array(buffer);
  if (dtype === 'f16') return halfToFloat(new Uint16Array(buffer));
  const scales = new Float32Array(buffer, 0, rows);
  const values = new Int8Array(buffer, 4 * rows);
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const scale = scales[row]!;
    for (let i = row * columns; i < (row + 1) * columns; i++) data[i] = scale * values[i]!;
  }
  return data;
}

/**
 * Symmetric: scale = largest magnitude / 127 in float32, values = x / scale rounded half to even. A row with NaN or
 * infinity gets the scale NaN: it is lost as a whole, and visibly.
 */
function quantiseRows(data: Float32Array, rows: number): Uint8Array {
  const columns = data.length / rows;
  const bytes = new Uint8Array(payloadBytes(rows, columns, 'int8'));
  const scales = new Float32Array(bytes.buffer, 0, rows);
  const values = new Int8Array(bytes.buffer, 4 * rows);
  for (let row = 0; row < rows; row++) {
    const start = row * columns;
    let largest = 0;
    for (let i = start; i < start + columns; i++) {
      largest = Math.max(largest, Math.abs(data[i]!));
    }
    scales[row] = Number.isFinite(largest) ? largest / 127 : Number.NaN;
    const scale = scales[row]!;
    if (!(scale > 0)) continue;
    for (let i = start; i < start + columns; i++) {
      values[i] = Math.max(-127, Math.min(127, roundHalfEven(Math.fround(data[i]! / scale))));
    }
  }
  return bytes;
}

/** Adding 1.5 · 2^52 leaves no fraction bits, so that the FPU rounds; right for |x| < 2^51. */
export function roundHalfEven(x: number): number {
  return x + 6_755_399_441_055_744 - 6_755_399_441_055_744;
}
