/** What tests of aggregation share. */
import { encodeUpdate } from '../codec/encode.ts';
import type { UpdateFormat } from '../codec/format.ts';
import { spaceValues } from '../codec/space.ts';
import { encodeAll, headerOf, joined, randomValues, SPACE, SPARSE } from '../codec/testing.ts';
import { aggregate } from './aggregate.ts';
import type { Contribution } from './cohort.ts';
import { measureUpdate } from './measure.ts';
import type { Rule } from './rules.ts';

/** Something all find, something of each one's own. */
export function pseudoGradient(k: number, deviation = 1e-3): Float32Array<ArrayBuffer> {
  const count = spaceValues(SPACE);
  const common = randomValues(count, 1000, deviation);
  return randomValues(count, k, deviation / 2).map((own, i) => own + common[i]!);
}

export async function contributionOf(
  bytes: Uint8Array,
  unit: number,
  format: UpdateFormat = SPARSE,
  more: Partial<Contribution> = {},
): Promise<Contribution> {
  const { norm } = await measureUpdate([bytes], SPACE, format);
  return { unit: headerOf(unit).unit, open: () => [bytes], norm, sequences: 1, staleness: 0, ...more };
}

/** Contribution k of each list of values. */
export async function cohortOf(
  deltas: readonly Float32Array[],
  format: UpdateFormat = SPARSE,
): Promise<Contribution[]> {
  const made = deltas.map(async (delta, k) =>
    contributionOf(await encodeAll(delta, { format, header: headerOf(k + 1) }), k + 1, format),
  );
  return Promise.all(made);
}

export async function aggregateAll(
  cohort: readonly Contribution[],
  rule: Rule,
  format: UpdateFormat = SPARSE,
): Promise<Float32Array> {
  const all = new Float32Array(spaceValues(SPACE));
  let at = 0;
  for await (const slab of aggregate(cohort, SPACE, format, rule)) {
    all.set(slab, at);
    at += slab.length;
  }
  return all;
}

/** What goes back to all. */
export async function downlinkOf(
  cohort: readonly Contribution[],
  rule: Rule,
  format: UpdateFormat = SPARSE,
): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  const joint = aggregate(cohort, SPACE, format, rule);
  for await (const chunk of encodeUpdate(headerOf(0), SPACE, SPARSE, joint)) chunks.push(chunk);
  return joined(chunks);
}
