/**
 * Tiles: the log in pieces of TILE_ENTRIES entries, each entry behind its length (4 bytes, little-endian). Tile i holds
 * the entries from TILE_ENTRIES · i; a full one never changes, the last may have fewer (its *width* says how many).
 */
import { ByteReader, ByteWriter } from '../bytes/bytes.ts';
import { AiloError } from '../errors/index.ts';
import { MAX_ENTRY_BYTES, MAX_TILE_BYTES, TILE_ENTRIES } from './limits.ts';

/** Which piece of the log: entries TILE_ENTRIES · index up to TILE_ENTRIES · index + width. */
export interface TileSpan {
  index: number;
  /** 1 … TILE_ENTRIES. */
  width: number;
}

/** Throws TILE_INVALID for no entries, too many, empty ones and those over MAX_ENTRY_BYTES. */
export function encodeTile(entries: readonly Uint8Array[]): Uint8Array {
  checkWidth(entries.length);
  const writer = new ByteWriter();
  for (const entry of entries) writer.u32(checkLength(entry.length)).bytes(entry);
  return writer.finish();
}

/** The `width` entries of a tile, as views of `bytes`. Throws TILE_INVALID for what `encodeTile` could not have written. */
export function decodeTile(bytes: Uint8Array, width: number): Uint8Array[] {
  checkWidth(width);
  if (bytes.length > MAX_TILE_BYTES) throw invalid(`it has more than ${MAX_TILE_BYTES} bytes`);
  const reader = new ByteReader(bytes, invalid);
  const entries: Uint8Array[] = [];
  while (entries.length < width) entries.push(reader.bytes(checkLength(reader.u32())));
  reader.end();
  return entries;
}

/** The tiles that cover entries `from` ≤ place < `to` of a log of `size`. RangeError unless 0 ≤ from ≤ to ≤ size. */
export function tileSpans(from: number, to: number, size: number): TileSpan[] {
  if (![from, to, size].every(Number.isSafeInteger) || from < 0 || from > to || to > size) {
    throw new RangeError(`a log of ${size} has no entries ${from} to ${to}`);
  }
  const spans: TileSpan[] = [];
  if (from === to) return spans;
  for (let index = Math.floor(from / TILE_ENTRIES); index * TILE_ENTRIES < to; index++) {
    spans.push({ index, width: Math.min(TILE_ENTRIES, size - index * TILE_ENTRIES) });
  }
  return spans;
}

function checkWidth(width: number): void {
  if (!Number.isInteger(width) || width < 1 || width > TILE_ENTRIES) {
    throw invalid(`it has ${width} entries, not 1 to ${TILE_ENTRIES}`);
  }
}

function checkLength(length: number): number {
  if (length < 1 || length > MAX_ENTRY_BYTES) {
    throw invalid(`an entry has ${length} bytes, not 1 to ${MAX_ENTRY_BYTES}`);
  }
  return length;
}

function invalid(reason: string): AiloError {
  return AiloError.of('TILE_INVALID', { reason });
}
