/** The rows of an embedding that a batch needs, instead of all of it. */
import type { ParameterSource, ParameterStore } from './codec/store.ts';
import { rowsOf, type VirtualTensor } from './virtual/layout.ts';

export interface EmbeddingRows {
  /** Token ids, each once, ascending. */
  ids: Int32Array;
  /** The batch's tokens as indices in `ids`. */
  indices: Int32Array;
}

export function rowsToRead(tokens: Int32Array): EmbeddingRows {
  const ids = Int32Array.from(new Set(tokens)).sort();
  const places = new Map([...ids].map((id, index) => [id, index]));
  return { ids, indices: tokens.map((token) => places.get(token)!) };
}

/** Fills `into` with the rows, one after the other. */
export async function readRows(
  store: ParameterSource,
  table: VirtualTensor,
  { ids }: EmbeddingRows,
  into: Float32Array,
): Promise<void> {
  await Promise.all(
    Array.from(ids, (id, index) => store.read(rowsOf(table, id, id + 1).start, rowAt(into, table, index))),
  );
}

/** Adds `values`, rows one after the other, to those in the store. */
export async function addRows(
  store: ParameterStore,
  table: VirtualTensor,
  rows: EmbeddingRows,
  values: Float32Array,
): Promise<void> {
  const sums = new Float32Array(rows.ids.length * table.shape[1]!);
  await readRows(store, table, rows, sums);
  addTo(sums, values);
  await Promise.all(
    Array.from(rows.ids, (id, index) => store.write(rowsOf(table, id, id + 1).start, rowAt(sums, table, index))),
  );
}

/** `sum` may be shorter than `values`. */
export function addTo(sum: Float32Array, values: Float32Array): void {
  for (let index = 0; index < sum.length; index++) sum[index]! += values[index]!;
}

function rowAt(values: Float32Array, { shape }: VirtualTensor, index: number): Float32Array {
  return values.subarray(index * shape[1]!, (index + 1) * shape[1]!);
}
