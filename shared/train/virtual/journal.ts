/** What is true of some files. The newest record that is whole counts; what is not in it did not happen. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { sha256 } from '../../bytes/sha256-sync.ts';
import type { RandomAccessFile } from './files.ts';
import { JOURNAL_RECORD_BYTES } from './limits.ts';

const HASH_BYTES = 32;
const HEADER_BYTES = HASH_BYTES + 4;

const Sequence = v.object({ sequence: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

/** Two records in turn, each with its length and SHA-256: one that was torn while it was written leaves the other. */
export class Journal<R extends object> {
  /** Undefined before there is one. */
  last: R | undefined;
  readonly #file: RandomAccessFile;
  #sequence: number;

  private constructor(file: RandomAccessFile, sequence: number, last: R | undefined) {
    this.#file = file;
    this.#sequence = sequence;
    this.last = last;
  }

  /** A record that is not of the schema is as good as none. */
  static async open<R extends object>(
    file: RandomAccessFile,
    schema: v.GenericSchema<unknown, R>,
  ): Promise<Journal<R>> {
    let [sequence, newest]: [number, unknown] = [0, undefined];
    for (const place of [0, 1]) {
      const bytes = new Uint8Array(JOURNAL_RECORD_BYTES);
      await file.read(place * JOURNAL_RECORD_BYTES, bytes);
      const record = decode(bytes);
      if (record === undefined || record.sequence <= sequence) continue;
      [sequence, newest] = [record.sequence, record.value];
    }
    const parsed = v.safeParse(schema, newest);
    return new Journal(file, sequence, parsed.success ? parsed.output : undefined);
  }

  /** Fulfilled when the record would outlive a loss of power. */
  async write(record: R): Promise<void> {
    const sequence = this.#sequence + 1;
    await this.#file.write((sequence % 2) * JOURNAL_RECORD_BYTES, encode({ sequence, value: record }));
    await this.#file.flush();
    this.#sequence = sequence;
    this.last = record;
  }
}

interface Numbered {
  sequence: number;
  value: unknown;
}

function encode(record: Numbered): Uint8Array {
  const json = utf8ToBytes(JSON.stringify(record));
  const bytes = new Uint8Array(JOURNAL_RECORD_BYTES);
  if (HEADER_BYTES + json.length > bytes.length) throw new RangeError(`a record of ${json.length} bytes`);
  new DataView(bytes.buffer).setUint32(HASH_BYTES, json.length, true);
  bytes.set(json, HEADER_BYTES);
  bytes.set(sha256(bytes.subarray(HASH_BYTES)));
  return bytes;
}

/** Undefined for what is no whole record. */
function decode(bytes: Uint8Array): Numbered | undefined {
  const length = new DataView(bytes.buffer).getUint32(HASH_BYTES, true);
  const hash = sha256(bytes.subarray(HASH_BYTES));
  if (length > bytes.length - HEADER_BYTES || hash.some((byte, index) => byte !== bytes[index])) return undefined;
  const json: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length)));
  const parsed = v.safeParse(Sequence, json);
  return parsed.success ? { sequence: parsed.output.sequence, value: (json as { value?: unknown }).value } : undefined;
}
