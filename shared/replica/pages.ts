/** Records by place in rows of PAGE_RECORDS, each behind its length (4 bytes, little-endian), as tiles hold entries. */
import { ByteReader, ByteWriter } from '../bytes/bytes.ts';
import { AiloError } from '../errors/index.ts';
import { RecordReader, RecordWriter } from '../ledger/binary.ts';
import { PAGE_RECORDS } from './limits.ts';
import { type Part, type ReplicaStore, type Row, readRow } from './store.ts';

/** Rows that are read at once when everything is. */
const ROWS_PER_READ = 64;

export type PagedPart = Extract<Part, 'account' | 'transfer' | 'dispute' | 'history'>;

export function encodePage(records: readonly Uint8Array[]): Uint8Array {
  const writer = new ByteWriter();
  for (const record of records) writer.u32(record.length).bytes(record);
  return writer.finish();
}

/** The first `count` records (of a tile: entries), as views. Throws LEDGER_CORRUPT where there are fewer. */
export function decodePage(bytes: Uint8Array, count: number): Uint8Array[] {
  const reader = new ByteReader(bytes, corrupt);
  return Array.from({ length: count }, () => reader.bytes(reader.u32()));
}

/**
 * The rows after `changed` (records by place) was put among the first `count` records, and the rows that were there
 * before in their stead. What is stored behind `count` is left over from something that did not last, and dropped.
 */
export async function changedPages(
  store: ReplicaStore,
  part: PagedPart,
  changed: ReadonlyMap<number, Uint8Array>,
  count: number,
): Promise<{ rows: Row[]; before: Row[] }> {
  const pages = new Map<number, [place: number, record: Uint8Array][]>();
  for (const [place, record] of changed) {
    const index = Math.floor(place / PAGE_RECORDS);
    const page = pages.get(index);
    if (page) page.push([place % PAGE_RECORDS, record]);
    else pages.set(index, [[place % PAGE_RECORDS, record]]);
  }
  const old = await Promise.all(
    [...pages.keys()].map((index) => (index * PAGE_RECORDS < count ? readRow(store, part, index) : undefined)),
  );
  const rows: Row[] = [];
  const before: Row[] = [];
  for (const [i, [index, replaced]] of [...pages].entries()) {
    const bytes = old[i];
    const records = bytes ? decodePage(bytes, Math.min(PAGE_RECORDS, count - index * PAGE_RECORDS)) : [];
    if (bytes) before.push({ part, index, bytes });
    for (const [at, record] of replaced.sort(([a], [b]) => a - b)) records[at] = record;
    rows.push({ part, index, bytes: encodePage(records) });
  }
  return { rows, before };
}

/** The first `count` records, page by page, as views. Throws LEDGER_CORRUPT where there are fewer. */
export async function* readRecords(store: ReplicaStore, part: PagedPart, count: number): AsyncGenerator<Uint8Array[]> {
  const pages = Math.ceil(count / PAGE_RECORDS);
  for (let from = 0; from < pages; from += ROWS_PER_READ) {
    const to = Math.min(pages, from + ROWS_PER_READ);
    const rows = await store.read(part, from, to);
    if (rows.length !== to - from) throw corrupt(`rows of “${part}” are missing`);
    for (const { index, bytes } of rows) {
      yield decodePage(bytes, Math.min(PAGE_RECORDS, count - index * PAGE_RECORDS));
    }
  }
}

/** One record, a copy. Throws LEDGER_CORRUPT where it is missing. */
export async function readRecord(store: ReplicaStore, part: PagedPart, place: number): Promise<Uint8Array> {
  const page = await readRow(store, part, Math.floor(place / PAGE_RECORDS));
  if (!page) throw corrupt(`record ${place} of “${part}” is missing`);
  return decodePage(page, (place % PAGE_RECORDS) + 1)
    .at(-1)!
    .slice();
}

/** A place in the log as a record. */
export function encodePlace(place: number): Uint8Array {
  return new RecordWriter().safe(place).finish();
}

export function decodePlace(record: Uint8Array): number {
  return new RecordReader(record, corrupt).safe();
}

export function corrupt(reason: string): AiloError {
  return AiloError.of('LEDGER_CORRUPT', { reason });
}
