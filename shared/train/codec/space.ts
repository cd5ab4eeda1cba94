/**
 * The parameter space of a model: its tensors in one fixed order, every tensor row-major, one after the other. All
 * walks over it go slab by slab: a slab is a run of blocks whose values also lie in one run of the space.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import {
  BLOCK_SIDE,
  BLOCK_VALUES,
  MAX_COLUMNS,
  MAX_TENSOR_NAME,
  MAX_TENSOR_VALUES,
  MAX_TENSORS,
  VECTOR_SLAB_BLOCKS,
} from './limits.ts';

export interface SpaceTensor {
  name: string;
  /** All but the last dimension count as rows; one dimension or none makes a vector. */
  shape: readonly number[];
}
export type ParameterSpace = readonly SpaceTensor[];

/** `rows` × `columns` values at `start` of the space; its blocks are all rows by at most `blockColumns`, from the left. */
export interface Slab {
  /** Index of the tensor in the space. */
  tensor: number;
  start: number;
  rows: number;
  columns: number;
  blockColumns: number;
}

/** Matrices in bands of 64 rows with blocks of 64 × 64; vectors in runs with blocks of 4096. RangeError as checkSpace. */
export function* slabsOf(space: ParameterSpace): Generator<Slab> {
  checkSpace(space);
  let start = 0;
  for (const [tensor, { shape }] of space.entries()) {
    const columns = shape.at(-1) ?? 1;
    const rows = valuesOf(shape) / columns;
    const vector = shape.length < 2;
    const most = vector ? VECTOR_SLAB_BLOCKS * BLOCK_VALUES : BLOCK_SIDE;
    for (let at = 0; at < (vector ? columns : rows); at += most) {
      const count = Math.min(most, (vector ? columns : rows) - at);
      const size = vector ? { rows: 1, columns: count } : { rows: count, columns };
      yield { tensor, start, ...size, blockColumns: vector ? BLOCK_VALUES : BLOCK_SIDE };
      start += size.rows * size.columns;
    }
  }
}

/** Values of all tensors together. */
export function spaceValues(space: ParameterSpace): number {
  return space.reduce((sum, { shape }) => sum + valuesOf(shape), 0);
}

/** Values and blocks of the largest slab: what a walk has to hold. */
export function largestSlab(space: ParameterSpace): { values: number; blocks: number } {
  const largest = { values: 0, blocks: 0 };
  for (const slab of slabsOf(space)) {
    largest.values = Math.max(largest.values, slab.rows * slab.columns);
    largest.blocks = Math.max(largest.blocks, blocksOf(slab));
  }
  return largest;
}

export function blocksOf(slab: Slab): number {
  return Math.ceil(slab.columns / slab.blockColumns);
}

/** SHA-256 over a line for each tensor: its name as JSON, a space, its sizes with “x” between them. */
export function spaceHash(space: ParameterSpace): Uint8Array {
  checkSpace(space);
  return sha256(utf8ToBytes(space.map(({ name, shape }) => `${JSON.stringify(name)} ${shape.join('x')}\n`).join('')));
}

function valuesOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** A space comes from a configuration that was checked: what cannot be one is the caller's mistake, RangeError. */
function checkSpace(space: ParameterSpace): void {
  if (space.length === 0 || space.length > MAX_TENSORS) throw new RangeError(`a space of ${space.length} tensors`);
  for (const { name, shape } of space) {
    if (name.length > MAX_TENSOR_NAME) throw new RangeError(`the name “${name.slice(0, 40)}…” is too long`);
    const sizes = shape.every((size) => Number.isInteger(size) && size > 0);
    if (!sizes || valuesOf(shape) > MAX_TENSOR_VALUES || (shape.length > 1 && shape.at(-1)! > MAX_COLUMNS)) {
      throw new RangeError(`“${name}” cannot have the shape [${shape}]`);
    }
  }
}
