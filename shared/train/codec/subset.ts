import { type Block, type BlockCodec, type Entries, placeIn } from './block.ts';
import { invalid } from './invalid.ts';

const LITTLE_ENDIAN = true;

/** The values at the same places of every block, f32 little-endian: both sides know the places, only values are sent. */
export class SubsetCodec implements BlockCodec {
  readonly maxBlockBytes: number;
  readonly #places: Uint16Array;

  /** `places`: ascending, without repetition. */
  constructor(places: Uint16Array) {
    if (places.length === 0) throw new RangeError('no places');
    this.#places = places;
    this.maxBlockBytes = 4 * places.length;
  }

  maxEntries(size: number): number {
    const beyond = this.#places.findIndex((place) => place >= size);
    return beyond < 0 ? this.#places.length : beyond;
  }

  encode(block: Block, out: Uint8Array, at: number): number {
    const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    const count = this.maxEntries(block.rows * block.width);
    for (let i = 0; i < count; i++) {
      const place = placeIn(block, this.#places[i]!);
      view.setFloat32(at + 4 * i, finite(block.values[place]!), LITTLE_ENDIAN);
      block.values[place] = 0;
    }
    return at + 4 * count;
  }

  decode(bytes: Uint8Array, at: number, end: number, size: number, base: number, into: Entries): number {
    const count = this.maxEntries(size);
    if (at + 4 * count > end) throw invalid('it ends in the middle of a block');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0; i < count; i++) {
      into.positions[into.count] = base + this.#places[i]!;
      into.values[into.count++] = finite(view.getFloat32(at + 4 * i, LITTLE_ENDIAN));
    }
    return at + 4 * count;
  }
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw invalid('a value is not a finite number');
  return value;
}
