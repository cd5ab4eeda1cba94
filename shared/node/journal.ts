/**
 * What a stage sent of one job, so that its successor's replacement can be given it again. At most context × row bytes,
 * which the stage's memory figure counts (shared/graph/memory.ts).
 */
import { encodeFrame, encodeHiddenRows, type FrameHead } from '../tensor/frame.ts';
import { encodeRows, joinRows, payloadBytes, type WireDtype } from '../tensor/payload.ts';

export interface Journal {
  /** Rows of the sequence up to here are in the journal. */
  readonly end: number;
  /** The frame of `rows` rows from `head.position` on, all of them in the journal. */
  frame(head: FrameHead, rows: number): Uint8Array<ArrayBuffer>;
}

export interface HiddenJournal extends Journal {
  /** `data` is row-major [rows, columns], float32. */
  append(data: Float32Array, rows: number): void;
  /** Rows `start` ≤ position < `end`, all of them in the journal, as they go over the wire. */
  payload(start: number, end: number): Uint8Array;
}

/** Rows of hidden states, from the first of the sequence on, as they go over the wire. */
export function hiddenJournal(columns: number, wire: WireDtype, contextLength: number): HiddenJournal {
  const rowBytes = payloadBytes(1, columns, wire);
  /** All of it at once, as the KV caches: it never grows beyond what was counted. */
  let bytes: Uint8Array | undefined;
  let end = 0;
  const payload = (first: number, last: number) => bytes!.subarray(first * rowBytes, last * rowBytes);

  return {
    get end() {
      return end;
    },
    append(data, rows) {
      bytes ??= new Uint8Array(contextLength * rowBytes);
      for (let row = 0; row < rows; row++) {
        bytes.set(encodeRows(data.subarray(row * columns, (row + 1) * columns), 1, wire), (end + row) * rowBytes);
      }
      end += rows;
    },
    frame(head, rows) {
      const each = payload(head.position, head.position + rows);
      return encodeHiddenRows(head, [rows, columns], wire, joinRows(each, rows, wire));
    },
    payload,
  };
}

export interface TokenJournal extends Journal {
  append(token: number): void;
}

/** The tokens that the last stage chose, the first of them at position `start` of the sequence. */
export function tokenJournal(start: number): TokenJournal {
  const tokens: number[] = [];
  return {
    get end() {
      return start + tokens.length;
    },
    append: (token) => void tokens.push(token),
    frame(head, rows) {
      const from = head.position - start;
      return encodeFrame({ ...head, kind: 'tokens', ids: Int32Array.from(tokens.slice(from, from + rows)) });
    },
  };
}
