/**
 * The bits of a sparse block, from the lowest of each byte: a code of two bits for each value, then the gaps between
 * their indices as Rice codes (Rice, “Some practical universal noiseless coding techniques”, 1979): with parameter k,
 * gap >> k ones, a zero, and the k low bits of the gap. The last byte is filled up with zeros. A gap counts the
 * indices that were skipped, so that indices ascend whatever the bits are.
 */
import { invalid } from './invalid.ts';

/** Gaps stay below 4096. */
export const MAX_RICE_PARAMETER = 11;

/** The parameter with the fewest bits for all gaps; the least of equals. */
export function riceParameter(indices: Uint16Array, count: number): number {
  let best = 0;
  let fewest = Number.POSITIVE_INFINITY;
  for (let k = 0; k <= MAX_RICE_PARAMETER; k++) {
    let bits = count * (k + 1);
    for (let i = 0, next = 0; i < count; i++) {
      bits += (indices[i]! - next) >> k;
      next = indices[i]! + 1;
    }
    if (bits < fewest) {
      fewest = bits;
      best = k;
    }
  }
  return best;
}

/** Writes from `at` on and returns where it ended. */
export function writeBits(
  indices: Uint16Array,
  codes: Uint8Array,
  count: number,
  k: number,
  out: Uint8Array,
  at: number,
): number {
  let held = 0;
  let bits = 0;
  for (let i = 0; i < count; i++) {
    held |= codes[i]! << bits;
    bits += 2;
    if (bits === 8) {
      out[at++] = held;
      held = bits = 0;
    }
  }
  for (let i = 0, next = 0; i < count; i++) {
    const gap = indices[i]! - next;
    next = indices[i]! + 1;
    let ones = gap >> k;
    for (; ones >= 8; ones -= 8) {
      held |= 0xff << bits;
      out[at++] = held;
      held >>>= 8;
    }
    // At most 7 bits held, 7 ones with their zero, and 11 bits of the gap.
    held |= ((1 << ones) - 1) << bits;
    bits += ones + 1;
    held |= (gap & ((1 << k) - 1)) << bits;
    bits += k;
    for (; bits >= 8; bits -= 8) {
      out[at++] = held;
      held >>>= 8;
    }
  }
  if (bits > 0) out[at++] = held;
  return at;
}

/**
 * Reads `count` codes and indices below `size` from `at` on and returns where they ended. Throws UPDATE_INVALID for an
 * index that is too large, for bits beyond `end`, and for a filling that is not zero.
 */
export function readBits(
  bytes: Uint8Array,
  at: number,
  end: number,
  k: number,
  size: number,
  count: number,
  indices: Uint16Array,
  codes: Uint8Array,
): number {
  for (let i = 0; i < count; i++) {
    codes[i] = (byteAt(bytes, at + (i >> 2), end) >> (2 * (i & 3))) & 3;
  }
  let from = at + (count >> 2);
  let held = byteAt(bytes, from++, end) >>> (2 * (count & 3));
  let bits = 8 - 2 * (count & 3);
  for (let i = 0, next = 0; i < count; i++) {
    let quotient = 0;
    for (;;) {
      for (; bits <= 24; bits += 8) held |= byteAt(bytes, from++, end) << bits;
      const ones = Math.min(trailingOnes(held), bits);
      quotient += ones;
      if (ones < bits) {
        held = ones === 31 ? 0 : held >>> (ones + 1);
        bits -= ones + 1;
        break;
      }
      held = bits = 0;
      if (quotient > size) break;
    }
    for (; bits <= 24; bits += 8) held |= byteAt(bytes, from++, end) << bits;
    const index = next + (quotient << k) + (held & ((1 << k) - 1));
    held >>>= k;
    bits -= k;
    if (index >= size) throw invalid('it has an index outside its block');
    indices[i] = index;
    next = index + 1;
  }
  const stop = from - (bits >> 3);
  if (stop > end) throw invalid('it ends in the middle of a block');
  if ((held & ((1 << (bits & 7)) - 1)) !== 0) throw invalid('a block is not filled up with zeros');
  return stop;
}

/** Behind the end lie zeros, which end every code: that too much was read shows afterwards. */
function byteAt(bytes: Uint8Array, at: number, end: number): number {
  return at < end ? bytes[at]! : 0;
}

function trailingOnes(word: number): number {
  const zeros = ~word;
  return zeros === 0 ? 32 : 31 - Math.clz32(zeros & -zeros);
}
