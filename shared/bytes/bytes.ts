/**
 * Little-endian binary records. Every format of ours that goes over a wire or into a hash is written and read here,
 * so that bounds are checked in one place.
 */

/** Buffers of finished writers, for the next: a new one costs more than most records. */
const spare: DataView<ArrayBuffer>[] = [];
const FIRST_BYTES = 256;
const MAX_SPARE = 8;
const MAX_SPARE_BYTES = 64 * 1024;
const NOTHING = new Uint8Array(0);
const NOTHING_VIEW = new DataView(NOTHING.buffer);

/** Builds a record field by field. Values outside a field's range are a mistake of the caller: RangeError. */
export class ByteWriter {
  #view = spare.pop() ?? new DataView(new ArrayBuffer(FIRST_BYTES));
  #bytes = new Uint8Array(this.#view.buffer);
  #length = 0;

  u8(value: number): this {
    assertUnsigned(value, 0xff);
    const at = this.#grow(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u16(value: number): this {
    assertUnsigned(value, 0xffff);
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  u32(value: number): this {
    assertUnsigned(value, 0xffff_ffff);
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  u64(value: bigint): this {
    if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw new RangeError(`${value} is not a u64`);
    const at = this.#grow(8);
    this.#view.setBigUint64(at, value, true);
    return this;
  }

  /** The bytes as they are, without a length. */
  bytes(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** What was written. The writer is done then: it is empty, and to be used no more. */
  finish(): Uint8Array<ArrayBuffer> {
    const written = this.#bytes.slice(0, this.#length);
    if (spare.length < MAX_SPARE && this.#bytes.length <= MAX_SPARE_BYTES) spare.push(this.#view);
    this.#bytes = NOTHING;
    this.#view = NOTHING_VIEW;
    this.#length = 0;
    return written;
  }

  /** Makes room for `count` bytes and returns where they begin; replaces `#view` when the buffer has to grow. */
  #grow(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      bigger.set(this.#bytes);
      this.#bytes = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    return at;
  }
}

/**
 * Reads a record field by field. `fail` makes the typed error of the format being read; it is thrown when the record
 * is shorter than its fields, and by `end` when it is longer.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #fail: (reason: string) => Error;
  #at = 0;

  constructor(bytes: Uint8Array, fail: (reason: string) => Error) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#fail = fail;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  /** A view (not a copy) of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.remaining > 0) throw this.#fail(`${this.remaining} bytes too many`);
  }

  #take(count: number): number {
    if (!Number.isSafeInteger(count) || count < 0 || count > this.remaining) {
      throw this.#fail(`it ends after ${this.#bytes.length} bytes, but more were expected`);
    }
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

function assertUnsigned(value: number, max: number): void {
  if (!Number.isInteger(value) || value < 0 || value > max) throw new RangeError(`${value} is not in 0–${max}`);
}
