/** Where the tensors of a model lie in its flat space of float32 values, and what pieces a run of values is made of. Pure. */
import type { Parameter } from '../model/family.ts';
import { sizeOf } from '../tape/tape.ts';

/** A run of values of the space. */
export interface Range {
  start: number;
  length: number;
}

/** A tensor as a view of the space: row-major, of `shape`. */
export interface VirtualTensor extends Range {
  name: string;
  shape: readonly number[];
}

export interface Layout {
  /** In the order in which they lie, without holes. */
  tensors: readonly VirtualTensor[];
  /** All values together. */
  values: number;
  has(name: string): boolean;
  /** Throws RangeError for a name that the model does not have. */
  tensor(name: string): VirtualTensor;
}

export function layoutOf(parameters: readonly Parameter[]): Layout {
  let values = 0;
  const tensors = parameters.map(({ name, shape }): VirtualTensor => {
    const [start, length] = [values, sizeOf(shape)];
    values += length;
    return { name, shape, start, length };
  });
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const tensor = (name: string) => {
    const found = byName.get(name);
    if (!found) throw new RangeError(`there is no tensor ${name}`);
    return found;
  };
  return { tensors, values, tensor, has: (name) => byName.has(name) };
}

/** Some tensors of a space as they lie in an array that holds only their values, in the order of the space. */
export interface Selection {
  /** The runs that the array is read from, or written to. */
  ranges: Range[];
  values: number;
  /** Where each tensor lies in the array, in the order of their names as they were given. */
  places: { name: string; shape: readonly number[]; at: number; length: number }[];
}

export function select({ tensor }: Layout, names: readonly string[]): Selection {
  const ranges: Range[] = [];
  const starts = new Map<string, number>();
  let values = 0;
  for (const { name, start, length } of names.map(tensor).sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last && last.start + last.length === start) last.length += length;
    else ranges.push({ start, length });
    starts.set(name, values);
    values += length;
  }
  const places = names.map(tensor).map(({ name, shape, length }) => ({ name, shape, at: starts.get(name)!, length }));
  return { ranges, values, places };
}

/** Some rows of a matrix. */
export function rowsOf({ start, shape }: VirtualTensor, from: number, to: number): Range {
  const columns = sizeOf(shape.slice(1));
  return { start: start + from * columns, length: (to - from) * columns };
}

/** What of one piece of fixed size a run of values takes. */
export interface Piece {
  /** The piece's number. */
  index: number;
  /** Where the values lie in it, how many they are, and where in the run they are. */
  offset: number;
  length: number;
  at: number;
}

/** The pieces of `size` values that a run touches, in order: chunks, or segments. */
export function* piecesOf({ start, length }: Range, size: number): Generator<Piece> {
  for (let at = 0; at < length; ) {
    const [index, offset] = [Math.floor((start + at) / size), (start + at) % size];
    const count = Math.min(size - offset, length - at);
    yield { index, offset, length: count, at };
    at += count;
  }
}
