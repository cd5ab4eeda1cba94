/** Streams of typed arrays cut anew. */

export type Chunks<T> = AsyncIterable<T> | Iterable<T>;

/** Reads a stream of f32 chunks of any lengths in pieces of lengths of one's own. */
export class FloatReader {
  readonly #chunks: AsyncIterator<Float32Array> | Iterator<Float32Array>;
  #chunk = new Float32Array(0);
  #at = 0;

  constructor(chunks: Chunks<Float32Array>) {
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  /** Throws RangeError if the stream has fewer values than `into`. */
  async fill(into: Float32Array): Promise<void> {
    for (let filled = 0; filled < into.length; ) {
      if (!(await this.#more())) throw new RangeError('there are fewer values than the space has');
      const piece = this.#chunk.subarray(this.#at, this.#at + into.length - filled);
      into.set(piece, filled);
      filled += piece.length;
      this.#at += piece.length;
    }
  }

  /** Throws RangeError if the stream has values left. */
  async end(): Promise<void> {
    if (await this.#more()) throw new RangeError('there are more values than the space has');
  }

  /** Tells the source that no more is wanted. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #more(): Promise<boolean> {
    while (this.#at === this.#chunk.length) {
      const next = await this.#chunks.next();
      if (next.done) return false;
      this.#chunk = next.value as Float32Array<ArrayBuffer>;
      this.#at = 0;
    }
    return true;
  }
}

/** A window on a stream of bytes in chunks of any lengths: at least so many bytes in one piece, or all that are left. */
export class ByteWindow {
  bytes: Uint8Array;
  /** The window is `bytes` from `at` to `end`. */
  at = 0;
  end = 0;
  readonly #chunks: AsyncIterator<Uint8Array> | Iterator<Uint8Array>;
  #chunk = new Uint8Array(0);
  #taken = 0;
  #done = false;

  constructor(chunks: Chunks<Uint8Array>, capacity: number) {
    this.bytes = new Uint8Array(capacity);
    this.#chunks = Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
  }

  /** True if `count` bytes (at most the capacity) are there already, or the stream has ended. */
  has(count: number): boolean {
    return this.end - this.at >= count || this.#done;
  }

  /** Fills the window as far as it goes. */
  async refill(): Promise<void> {
    this.bytes.copyWithin(0, this.at, this.end);
    this.end -= this.at;
    this.at = 0;
    while (this.end < this.bytes.length && (await this.#more())) {
      const piece = this.#chunk.subarray(this.#taken, this.#taken + this.bytes.length - this.end);
      this.bytes.set(piece, this.end);
      this.end += piece.length;
      this.#taken += piece.length;
    }
  }

  /** True if no byte is left; may need a `refill` before. */
  get empty(): boolean {
    return this.#done && this.at === this.end;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #more(): Promise<boolean> {
    while (!this.#done && this.#taken === this.#chunk.length) {
      const next = await this.#chunks.next();
      this.#done = next.done === true;
      if (!next.done) this.#chunk = next.value as Uint8Array<ArrayBuffer>;
      this.#taken = next.done ? this.#chunk.length : 0;
    }
    return !this.#done;
  }
}
