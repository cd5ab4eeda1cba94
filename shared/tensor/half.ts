/**
 * The 16-bit floating point formats ⇄ float32. Conversions to float32 are exact; `floatToHalf` rounds to nearest, ties
 * to even (IEEE 754). Bit patterns are `Uint16Array`; all hosts of ours are little-endian, as the files are.
 */

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

let halfTable: Float32Array | undefined;

/** IEEE 754 binary16 → float32. */
export function halfToFloat(half: Uint16Array, out: Float32Array = new Float32Array(half.length)): Float32Array {
  halfTable ??= makeHalfTable();
  for (let i = 0; i < half.length; i++) out[i] = halfTable[half[i]!]!;
  return out;
}

/** bfloat16 → float32: the upper half of its bits. */
export function bfloatToFloat(bfloat: Uint16Array, out: Float32Array = new Float32Array(bfloat.length)): Float32Array {
  const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bfloat.length; i++) bits[i] = bfloat[i]! << 16;
  return out;
}

/** float32 → IEEE 754 binary16. Too large becomes infinity, NaN stays NaN (quiet, sign kept). */
export function floatToHalf(values: Float32Array, out: Uint16Array = new Uint16Array(values.length)): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < bits.length; i++) out[i] = halfBits(bits[i]!);
  return out;
}

/** The binary16 pattern of a float32 pattern. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00;
  // 65520 and above round to infinity: it lies half-way between the largest half, 65504, and 2^16.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  if (magnitude < 0x3880_0000) {
    // Subnormal halves are multiples of 2^-24. Adding 0.5, whose last bit is worth 2^-24, lets the FPU round to even.
    scratchBits[0] = magnitude;
    scratch[0] = scratch[0]! + 0.5;
    return sign | (scratchBits[0]! - 0x3f00_0000);
  }
  const odd = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x3800_0000 + 0xfff + odd) >>> 13);
}

function makeHalfTable(): Float32Array {
  const table = new Float32Array(65_536);
  for (let pattern = 0; pattern < 65_536; pattern++) {
    const sign = pattern & 0x8000 ? -1 : 1;
    const exponent = (pattern >>> 10) & 0x1f;
    const fraction = pattern & 0x3ff;
    if (exponent === 0) table[pattern] = sign * fraction * 2 ** -24;
    else if (exponent === 31) table[pattern] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else table[pattern] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return table;
}
