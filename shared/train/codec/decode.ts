import type { BlockCodec, Entries } from './block.ts';
import { codecOf, decodeHeader, type UpdateFormat, type UpdateHeader } from './format.ts';
import { invalid } from './invalid.ts';
import { BLOCK_VALUES } from './limits.ts';
import { ByteWindow, type Chunks } from './rechunk.ts';
import { blocksOf, type ParameterSpace, type Slab, slabsOf } from './space.ts';

/** Bytes that are looked at in one piece; a block may lie across chunks, but not across windows. */
const WINDOW_BYTES = 2 ** 18;

/**
 * Reads an update slab by slab. The bytes are untrusted: what is allocated depends on the space and the format alone,
 * and everything that the encoder could not have written throws UPDATE_INVALID, what follows the last block included.
 */
export class UpdateReader {
  readonly header: UpdateHeader;
  readonly #codec: BlockCodec;
  readonly #window: ByteWindow;
  readonly #entries: Entries;

  private constructor(header: UpdateHeader, codec: BlockCodec, window: ByteWindow, capacity: number) {
    this.header = header;
    this.#codec = codec;
    this.#window = window;
    this.#entries = { positions: new Uint32Array(capacity), values: new Float32Array(capacity), count: 0 };
  }

  /** Reads the header. `chunks` may have any lengths. Throws UPDATE_INVALID, and what reading the chunks throws. */
  static async open(chunks: Chunks<Uint8Array>, space: ParameterSpace, format: UpdateFormat): Promise<UpdateReader> {
    const codec = codecOf(format);
    const window = new ByteWindow(chunks, WINDOW_BYTES);
    let capacity = 0;
    for (const slab of slabsOf(space)) capacity = Math.max(capacity, slabEntries(slab, codec));
    try {
      await window.refill();
      const { header, length } = decodeHeader(window.bytes.subarray(0, window.end), space, format);
      window.at = length;
      return new UpdateReader(header, codec, window, capacity);
    } catch (error) {
      await window.close();
      throw error;
    }
  }

  /** The slabs must be asked for in the order of the space. The entries are good until the next call. */
  async slab(slab: Slab): Promise<Entries> {
    const window = this.#window;
    const entries = this.#entries;
    entries.count = 0;
    for (let b = 0; b < blocksOf(slab); b++) {
      if (!window.has(this.#codec.maxBlockBytes)) await window.refill();
      const base = b * slab.blockColumns * slab.rows;
      const size = Math.min(slab.blockColumns * slab.rows, slab.rows * slab.columns - base);
      window.at = this.#codec.decode(window.bytes, window.at, window.end, size, base, entries);
    }
    return entries;
  }

  /** To be called after the last slab: throws UPDATE_INVALID if bytes are left. */
  async end(): Promise<void> {
    await this.#window.refill();
    if (!this.#window.empty) throw invalid('bytes follow its last block');
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#window.close();
  }
}

/** Where the value at `position` of a slab's blocks lies in the slab, row-major. */
export function slabOffset(slab: Slab, position: number): number {
  const blockValues = slab.blockColumns * slab.rows;
  const left = Math.floor(position / blockValues) * slab.blockColumns;
  const width = Math.min(slab.blockColumns, slab.columns - left);
  const within = position % blockValues;
  return Math.floor(within / width) * slab.columns + left + (within % width);
}

function slabEntries(slab: Slab, codec: BlockCodec): number {
  const values = slab.rows * slab.columns;
  return Math.min(values, blocksOf(slab) * codec.maxEntries(BLOCK_VALUES));
}
