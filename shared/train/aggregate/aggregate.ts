import type { Entries } from '../codec/block.ts';
import { slabOffset } from '../codec/decode.ts';
import type { UpdateFormat } from '../codec/format.ts';
import { blocksOf, type ParameterSpace, type Slab } from '../codec/space.ts';
import { agreementOf, trustOf } from './agreement.ts';
import { type Contribution, clipFactors, inOrder, medianOf, slabsOfAll, weightsOf } from './cohort.ts';
import { SenderMerge } from './merge.ts';
import type { Rule } from './rules.ts';

/**
 * Joins updates into one: the values of the whole space in order, a chunk (good until the next) for each slab, times
 * `rate`. Given to `encodeUpdate` they become the update that goes back to all. Of each contribution one slab is in
 * memory. All arithmetic is f64, over the senders of a coordinate in the order of their units, rounded to f32 once at
 * the end: the result does not depend on the order of `contributions`. Throws UPDATE_INVALID where one cannot be read
 * (`measureUpdate` tells before), RangeError for what cannot be a cohort.
 */
export async function* aggregate(
  contributions: readonly Contribution[],
  space: ParameterSpace,
  format: UpdateFormat,
  rule: Rule,
  rate = 1,
): AsyncGenerator<Float32Array, void, undefined> {
  const cohort = inOrder(contributions);
  const clip = clipFactors(cohort);
  const trust = rule.trusting ? trustOf(await agreementOf(cohort, space, format)) : undefined;
  const weights = weightsOf(cohort).map((weight, k) => weight * (trust?.[k] ?? 1));
  const combiner = new SlabCombiner(rule, rate, clip, weights);
  for await (const { slab, entries } of slabsOfAll(cohort, space, format)) yield combiner.combine(slab, entries);
}

class SlabCombiner {
  readonly #rule: Rule;
  readonly #rate: number;
  readonly #clip: Float64Array;
  readonly #weights: Float64Array;
  readonly #merge: SenderMerge;
  readonly #peaks: Float64Array;
  /** Of the senders of a coordinate. */
  readonly #weightsHere: Float64Array;
  #out = new Float32Array(0);

  constructor(rule: Rule, rate: number, clip: Float64Array, weights: Float64Array) {
    this.#rule = rule;
    this.#rate = rate;
    this.#clip = clip;
    this.#weights = weights;
    this.#merge = new SenderMerge(clip.length);
    this.#peaks = new Float64Array(clip.length);
    this.#weightsHere = new Float64Array(clip.length);
  }

  /** A view that is good until the next call. */
  combine(slab: Slab, entries: readonly Entries[]): Float32Array {
    const size = slab.rows * slab.columns;
    if (this.#out.length < size) this.#out = new Float32Array(size);
    const out = this.#out.subarray(0, size).fill(0);
    const merge = this.#merge;
    merge.start(entries);
    for (let b = 1; b <= blocksOf(slab); b++) {
      const end = b * slab.blockColumns * slab.rows;
      const cap = this.#rule.capped ? this.#cap(end) : Number.POSITIVE_INFINITY;
      while (merge.next(end)) out[slabOffset(slab, merge.position)] = this.#rate * this.#coordinate(cap);
    }
    return out;
  }

  #cap(end: number): number {
    this.#merge.peaks(end, this.#peaks);
    for (let k = 0; k < this.#clip.length; k++) this.#peaks[k]! *= this.#clip[k]!;
    return medianOf(this.#peaks);
  }

  #coordinate(cap: number): number {
    const { who, values, count } = this.#merge;
    const weights = this.#weightsHere;
    for (let i = 0; i < count; i++) {
      const k = who[i]!;
      values[i] = Math.max(-cap, Math.min(cap, values[i]! * this.#clip[k]!));
      weights[i] = this.#weights[k]!;
    }
    return this.#rule.combine(values, weights, count, this.#clip.length);
  }
}
