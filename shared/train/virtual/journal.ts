/** What is true of a training's files. The newest record that is whole counts; what is not in it did not happen. */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { sha256 } from '../../bytes/sha256-sync.ts';
import type { RandomAccessFile } from './files.ts';
import { JOURNAL_RECORD_BYTES } from './limits.ts';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Finite = v.pipe(v.number(), v.finite());

const Record = v.strictObject({
  sequence: Count,
  /** What the files are laid out for. */
  layout: v.pipe(v.string(), v.maxLength(256)),
  /** Names the weights that the local steps began with. */
  start: v.pipe(v.string(), v.maxLength(128)),
  /** Steps of the optimiser that are finished, and how many were when these local steps began. */
  step: Count,
  began: Count,
  /** `filling`: the weights of `start` are being written. `applying`: of a finished step, some segments are updated. */
  phase: v.picklist(['filling', 'ready', 'applying']),
  update: v.optional(
    v.strictObject({
      learningRate: Finite,
      gradientScale: Finite,
      loss: Finite,
      gradientNorm: Finite,
      segments: Count,
    }),
  ),
});
export type JournalRecord = v.InferOutput<typeof Record>;
export type StepUpdate = NonNullable<JournalRecord['update']>;

const HASH_BYTES = 32;
const HEADER_BYTES = HASH_BYTES + 4;

/** Two records in turn, each with its length and SHA-256: one that was torn while it was written leaves the other. */
export class Journal {
  last: JournalRecord | undefined;
  readonly #file: RandomAccessFile;

  private constructor(file: RandomAccessFile, last: JournalRecord | undefined) {
    this.#file = file;
    this.last = last;
  }

  static async open(file: RandomAccessFile): Promise<Journal> {
    let last: JournalRecord | undefined;
    for (const place of [0, 1]) {
      const bytes = new Uint8Array(JOURNAL_RECORD_BYTES);
      await file.read(place * JOURNAL_RECORD_BYTES, bytes);
      const record = decode(bytes);
      if (record && record.sequence > (last?.sequence ?? -1)) last = record;
    }
    return new Journal(file, last);
  }

  /** Fulfilled when the record would outlive a loss of power. */
  async write(record: Omit<JournalRecord, 'sequence'>): Promise<void> {
    const next = { ...record, sequence: (this.last?.sequence ?? 0) + 1 };
    await this.#file.write((next.sequence % 2) * JOURNAL_RECORD_BYTES, encode(next));
    await this.#file.flush();
    this.last = next;
  }
}

function encode(record: JournalRecord): Uint8Array {
  const json = utf8ToBytes(JSON.stringify(record));
  const bytes = new Uint8Array(JOURNAL_RECORD_BYTES);
  if (HEADER_BYTES + json.length > bytes.length) throw new RangeError(`a record of ${json.length} bytes`);
  new DataView(bytes.buffer).setUint32(HASH_BYTES, json.length, true);
  bytes.set(json, HEADER_BYTES);
  bytes.set(sha256(bytes.subarray(HASH_BYTES)));
  return bytes;
}

/** Undefined for what is no whole record. */
function decode(bytes: Uint8Array): JournalRecord | undefined {
  const length = new DataView(bytes.buffer).getUint32(HASH_BYTES, true);
  const hash = sha256(bytes.subarray(HASH_BYTES));
  if (length > bytes.length - HEADER_BYTES || hash.some((byte, index) => byte !== bytes[index])) return undefined;
  const text = new TextDecoder().decode(bytes.subarray(HEADER_BYTES, HEADER_BYTES + length));
  const parsed = v.safeParse(Record, JSON.parse(text));
  return parsed.success ? parsed.output : undefined;
}
