import { bytesToHex } from '@noble/hashes/utils.js';
import type { Entries } from '../codec/block.ts';
import { UpdateReader } from '../codec/decode.ts';
import type { UpdateFormat } from '../codec/format.ts';
import { MAX_CONTRIBUTIONS } from '../codec/limits.ts';
import type { Chunks } from '../codec/rechunk.ts';
import { type ParameterSpace, type Slab, slabsOf } from '../codec/space.ts';

export interface Openable {
  /** Opens the bytes from their beginning, once for every pass over the cohort. */
  open(): Chunks<Uint8Array>;
  /** Where it is not that of the others. */
  format?: UpdateFormat;
}

/** An update that was measured and validated, with what the coordinator knows of it. */
export interface Contribution extends Openable {
  /** 16 bytes: the work unit, as in the update's header. */
  unit: Uint8Array;
  /** As `measureUpdate` found it. */
  norm: number;
  /** The batch that was assigned. */
  sequences: number;
  /** Rounds since the weights that it started from; 0 is in time. */
  staleness: number;
}

/** By unit, so that sums do not depend on who came first. RangeError for none, too many, or a unit that is there twice. */
export function inOrder(contributions: readonly Contribution[]): Contribution[] {
  if (contributions.length === 0 || contributions.length > MAX_CONTRIBUTIONS) {
    throw new RangeError(`${contributions.length} contributions`);
  }
  const named = contributions.map((contribution) => ({ contribution, name: bytesToHex(contribution.unit) }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  if (named.some(({ name }, i) => i > 0 && name === named[i - 1]!.name)) throw new RangeError('a unit is there twice');
  return named.map(({ contribution }) => contribution);
}

/** n_k / (1 + staleness), scaled so that the mean is 1. */
export function weightsOf(contributions: readonly Contribution[]): Float64Array {
  const weights = Float64Array.from(contributions, ({ sequences, staleness }) => sequences / (1 + staleness));
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / weights.length;
  return weights.map((weight) => weight / mean);
}

/** What brings each norm down to the cohort's median, and 1 for those that are not above it. */
export function clipFactors(contributions: readonly Contribution[]): Float64Array {
  const median = medianOf(Float64Array.from(contributions, ({ norm }) => norm));
  return Float64Array.from(contributions, ({ norm }) => (norm > median ? median / norm : 1));
}

/** Of an even number the lower of the two in the middle: fewer than half of all cannot raise it above the others'. */
export function medianOf(values: Float64Array): number {
  return values.toSorted()[(values.length - 1) >> 1]!;
}

/** One pass over all updates at once: of each, one slab is in memory. Throws UPDATE_INVALID. */
export async function* slabsOfAll(
  updates: readonly Openable[],
  space: ParameterSpace,
  format: UpdateFormat,
): AsyncGenerator<{ slab: Slab; entries: Entries[] }, void, undefined> {
  const readers: UpdateReader[] = [];
  try {
    for (const { open, format: own } of updates) readers.push(await UpdateReader.open(open(), space, own ?? format));
    for (const slab of slabsOf(space)) {
      const entries: Entries[] = [];
      for (const reader of readers) entries.push(await reader.slab(slab));
      yield { slab, entries };
    }
    for (const reader of readers) await reader.end();
  } finally {
    for (const reader of readers) await reader.close();
  }
}
