/** Rows that nodes show as evidence, gathered from frames in order. Pure: gathering gives a new value. */
import { concatBytes } from '@noble/hashes/utils.js';
import { decodeFrame } from '../../../shared/tensor/frame.ts';
import { decodeRows, joinRows, payloadBytes, splitRows, type WireDtype } from '../../../shared/tensor/payload.ts';
import { RowsDigest } from '../../../shared/tensor/rows-digest.ts';

const DTYPE_AT = 4;
const DTYPES: Record<WireDtype, number> = { f32: 1, f16: 2, int8: 3 };

export interface Rows {
  format: WireDtype;
  /** Positions of the first row and behind the last that is wanted. */
  from: number;
  to: number;
  /** Behind the last row that is here. */
  end: number;
  /** 0 before the first frame. */
  columns: number;
  /** Encoded one by one. */
  payloads: readonly Uint8Array[];
}

export function noRows(format: WireDtype, from: number, to: number): Rows {
  return { format, from, to, end: from, columns: 0, payloads: [] };
}

export function isComplete({ end, to }: Rows): boolean {
  return end >= to;
}

/** With the rows of one more frame; undefined for one that does not follow. Throws FRAME_INVALID for what is none. */
export function gather(rows: Rows, data: Uint8Array): Rows | undefined {
  const frame = decodeFrame(data);
  if (frame.kind !== 'hidden' || data[DTYPE_AT] !== DTYPES[rows.format]) return undefined;
  const columns = frame.data.length / frame.rows;
  if (frame.position !== rows.end || frame.position + frame.rows > rows.to) return undefined;
  if (rows.columns !== 0 && rows.columns !== columns) return undefined;
  const joined = data.slice(data.length - payloadBytes(frame.rows, columns, rows.format));
  const payload = splitRows(joined, frame.rows, rows.format);
  return { ...rows, columns, end: rows.end + frame.rows, payloads: [...rows.payloads, payload] };
}

/** The rows `start` ≤ position < `end`, encoded one by one. */
export function payloadOf({ format, from, columns, payloads }: Rows, start: number, end: number): Uint8Array {
  const rowBytes = payloadBytes(1, columns, format);
  return concatBytes(...payloads).subarray((start - from) * rowBytes, (end - from) * rowBytes);
}

/** As numbers, [rows, columns]. */
export function valuesOf(rows: Rows, start: number): Float32Array {
  const count = Math.max(0, rows.end - start);
  const each = payloadOf(rows, start, rows.end);
  return decodeRows(joinRows(each, count, rows.format), count, rows.columns, rows.format);
}

export function digestOf(rows: Rows, start: number): Uint8Array {
  const digest = new RowsDigest(payloadBytes(1, Math.max(1, rows.columns), rows.format), start);
  if (start < rows.end) digest.put(start, payloadOf(rows, start, rows.end));
  return digest.digest(start, rows.end);
}

/** What both ends of a link that carries tokens say of them. */
export function digestOfTokens(tokens: readonly number[], start: number): Uint8Array {
  const digest = new RowsDigest(4, start);
  const bytes = new Uint8Array(4 * Math.max(0, tokens.length - start));
  const view = new DataView(bytes.buffer);
  for (let i = start; i < tokens.length; i++) view.setInt32(4 * (i - start), tokens[i]!, true);
  digest.put(start, bytes);
  return digest.digest(start, tokens.length);
}
