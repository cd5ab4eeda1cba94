/**
 * Puts what arrives of a link into the order of the sequence. Frames come over two ways, and after a switch some come
 * again, cut otherwise: rows that were there before are skipped, rows that are early wait. Pure.
 */
export interface Arrival {
  /** Rows of the sequence, `start` to `end` without `end`. */
  start: number;
  end: number;
  data: Uint8Array;
  /** Its sender waits until it has run. */
  more: boolean;
}

export interface Arrivals {
  /** Rows that have arrived without a gap, from the first of the sequence on. */
  rows: number;
  /** Beyond a gap, by their first row. */
  early: ReadonlyMap<number, Arrival>;
}

/** A frame whose turn has come, without its first `skip` rows. */
export interface Due extends Arrival {
  skip: number;
}

export const NOTHING_ARRIVED: Arrivals = { rows: 0, early: new Map() };

/** `due` may have a frame all of whose rows are skipped: it brings nothing, but its sender may wait for it. */
export function arrive(before: Arrivals, arrival: Arrival): { arrivals: Arrivals; due: Due[] } {
  if (arrival.start > before.rows) {
    const known = before.early.get(arrival.start);
    if (known && known.end >= arrival.end) return { arrivals: before, due: [] };
    return { arrivals: { ...before, early: new Map(before.early).set(arrival.start, arrival) }, due: [] };
  }
  const due: Due[] = [];
  const early = new Map(before.early);
  let { rows } = before;
  for (let next: Arrival | undefined = arrival; next; next = [...early.values()].find(({ start }) => start <= rows)) {
    early.delete(next.start);
    due.push({ ...next, skip: Math.min(rows, next.end) - next.start });
    rows = Math.max(rows, next.end);
  }
  return { arrivals: { rows, early }, due };
}

export function earlyBytes({ early }: Arrivals): number {
  return [...early.values()].reduce((sum, { data }) => sum + data.length, 0);
}
