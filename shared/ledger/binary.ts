/** What the ledger's records need beyond shared/bytes: u64 fields that are counters or times, and domains. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../bytes/bytes.ts';
import type { AiloError } from '../errors/index.ts';
import { MAX_MICRO_ALC, MAX_SAFE } from './limits.ts';

export const HASH_BYTES = 32;
export const ZERO_HASH: Uint8Array = new Uint8Array(HASH_BYTES);

/** `ailo/NAME/v1\0`: begins everything that is signed or hashed, so that no record can pass for one of another kind. */
export function domain(name: string): Uint8Array {
  return utf8ToBytes(`ailo/${name}/v1\0`);
}

export class RecordWriter extends ByteWriter {
  /** A counter or a time as u64. Throws RangeError for what is not a safe unsigned integer. */
  safe(value: number): this {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not a safe integer`);
    return this.u64(BigInt(value));
  }

  /** An amount as u64. Throws RangeError outside 0 … MAX_MICRO_ALC. */
  amount(microAlc: bigint): this {
    if (microAlc > MAX_MICRO_ALC) throw new RangeError(`${microAlc} µALC cannot exist`);
    return this.u64(microAlc);
  }

  /** A balance as i64 (two's complement): a reversal can leave one below zero. */
  balance(microAlc: bigint): this {
    if (microAlc > MAX_MICRO_ALC || microAlc < -MAX_MICRO_ALC) throw new RangeError(`${microAlc} µALC cannot exist`);
    return this.u64(BigInt.asUintN(64, microAlc));
  }

  /** A list of places of accounts: its length as u16, and each as u32. */
  places(values: readonly number[]): this {
    this.u16(values.length);
    for (const value of values) this.u32(value);
    return this;
  }

  /** A list of places in the log: its length as u16, and each as u64. */
  indexes(values: readonly number[]): this {
    this.u16(values.length);
    for (const value of values) this.safe(value);
    return this;
  }

  /** Bytes of a fixed length. */
  fixed(bytes: Uint8Array, length: number): this {
    if (bytes.length !== length) throw new RangeError(`${bytes.length} bytes where ${length} belong`);
    return this.bytes(bytes);
  }
}

export class RecordReader extends ByteReader {
  readonly #fail: (reason: string) => AiloError;

  constructor(bytes: Uint8Array, fail: (reason: string) => AiloError) {
    super(bytes, fail);
    this.#fail = fail;
  }

  safe(): number {
    const value = this.u64();
    if (value > MAX_SAFE) throw this.#fail('a counter or time is out of range');
    return Number(value);
  }

  amount(): bigint {
    const value = this.u64();
    if (value > MAX_MICRO_ALC) throw this.#fail('an amount is more than can ever exist');
    return value;
  }

  balance(): bigint {
    const value = BigInt.asIntN(64, this.u64());
    if (value < -MAX_MICRO_ALC) throw this.#fail('a balance is out of range');
    return value;
  }

  /** A copy, which outlives the buffer it was read from. */
  fixed(length: number): Uint8Array {
    return this.bytes(length).slice();
  }

  places(): number[] {
    const bytes = this.bytes(4 * this.u16());
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
  }

  indexes(): number[] {
    return Array.from({ length: this.u16() }, () => this.safe());
  }

  domain(expected: Uint8Array): void {
    const found = this.bytes(expected.length);
    if (!equalBytes(found, expected)) throw this.#fail('it begins with another kind of record');
  }
}

/** Making one costs four times what using it does. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** UTF-8 as text; undefined where it is none. */
export function decodeText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0) return '';
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
