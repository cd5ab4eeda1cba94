/** Codecs that send every value of a block: to compare with, and where bandwidth does not matter. */
import { roundHalfEven } from '../../tensor/payload.ts';
import { type Block, type BlockCodec, type Entries, placeIn } from './block.ts';
import { invalid } from './invalid.ts';
import { BLOCK_VALUES } from './limits.ts';

const LITTLE_ENDIAN = true;
/** A larger scale could make a product overflow f32. */
const LARGEST_SCALE = 2 ** 100;

/** f32, little-endian, as they are. */
export class PlainCodec implements BlockCodec {
  readonly maxBlockBytes = 4 * BLOCK_VALUES;

  maxEntries(size: number): number {
    return size;
  }

  encode(block: Block, out: Uint8Array, at: number): number {
    const view = viewOf(out);
    const size = block.rows * block.width;
    for (let i = 0; i < size; i++) {
      const place = placeIn(block, i);
      view.setFloat32(at + 4 * i, finite(block.values[place]!), LITTLE_ENDIAN);
      block.values[place] = 0;
    }
    return at + 4 * size;
  }

  decode(bytes: Uint8Array, at: number, end: number, size: number, base: number, into: Entries): number {
    if (at + 4 * size > end) throw invalid('it ends in the middle of a block');
    const view = viewOf(bytes);
    for (let i = 0; i < size; i++) {
      into.positions[into.count] = base + i;
      into.values[into.count++] = finite(view.getFloat32(at + 4 * i, LITTLE_ENDIAN));
    }
    return at + 4 * size;
  }
}

/**
 * A scale (f32) and int8 values from −127 to 127, value = scale × int8 in f32. Symmetric: scale = largest magnitude /
 * 127, values = x / scale rounded half to even, each step in f32.
 */
export class Int8Codec implements BlockCodec {
  readonly maxBlockBytes = 4 + BLOCK_VALUES;

  maxEntries(size: number): number {
    return size;
  }

  encode(block: Block, out: Uint8Array, at: number): number {
    const { values } = block;
    const size = block.rows * block.width;
    let largest = 0;
    for (let i = 0; i < size; i++) largest = Math.max(largest, Math.abs(finite(values[placeIn(block, i)]!)));
    const scale = Math.min(Math.fround(largest / 127), LARGEST_SCALE);
    viewOf(out).setFloat32(at, scale, LITTLE_ENDIAN);
    at += 4;
    for (let i = 0; i < size; i++) {
      const place = placeIn(block, i);
      const value = values[place]!;
      const step = scale === 0 ? 0 : Math.max(-127, Math.min(127, roundHalfEven(Math.fround(value / scale))));
      out[at++] = step;
      values[place] = value - Math.fround(scale * step);
    }
    return at;
  }

  decode(bytes: Uint8Array, at: number, end: number, size: number, base: number, into: Entries): number {
    if (at + 4 + size > end) throw invalid('it ends in the middle of a block');
    const scale = viewOf(bytes).getFloat32(at, LITTLE_ENDIAN);
    if (!(scale >= 0 && scale <= LARGEST_SCALE)) throw invalid('the scale of a block is not a positive number');
    at += 4;
    for (let i = 0; i < size; i++) {
      const step = (bytes[at++]! << 24) >> 24;
      if (step === -128) throw invalid('a value is −128 of 127');
      into.positions[into.count] = base + i;
      into.values[into.count++] = scale * step;
    }
    return at;
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw invalid('a value is not a finite number');
  return value;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
