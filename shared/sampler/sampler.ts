import { AiloError } from '../errors/index.ts';
import { Candidates, likely } from './candidates.ts';
import { seededRandom } from './random.ts';
import type { Sampler, Sampling } from './types.ts';

/**
 * A sampler for one sequence that begins with `prompt`. In the order of transformers: repetition penalty,
 * temperature, top-k, top-p, draw. `answered` are tokens that another sampler chose before: this one goes on exactly
 * as that one would have. Throws SAMPLING_INVALID; `next` throws ENGINE_FAILED for logits without a number.
 */
export function createSampler(sampling: Sampling, prompt: number[], answered: number[] = []): Sampler {
  checkSampling(sampling);
  const random = seededRandom(sampling.seed);
  const seen = new Set([...prompt, ...answered]);
  // Every token but a greedy one takes one draw.
  if (sampling.temperature !== 0) for (const _ of answered) random();
  return {
    next(logits) {
      if (sampling.repetitionPenalty !== 1) penalise(logits, seen, sampling.repetitionPenalty);
      const token = choose(logits, sampling, () => random() / 2 ** 32);
      seen.add(token);
      return token;
    },
  };
}

/**
 * The token of these logits [vocabSize], which the penalty has been put on already; `uniform` in [0, 1) is asked unless
 * greedy. Throws ENGINE_FAILED for logits without a number.
 */
export function choose(logits: Float32Array, sampling: Sampling, uniform: () => number): number {
  return sampling.temperature === 0 ? argmax(logits) : pick(candidatesOf(logits, sampling), uniform);
}

/** Index of the largest logit, the lowest of equals. Throws ENGINE_FAILED where that is not a finite number. */
function argmax(logits: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    if (logits[id]! > largest) {
      largest = logits[id]!;
      best = id;
    }
  }
  if (!Number.isFinite(largest))
    throw AiloError.of('ENGINE_FAILED', { reason: 'the last stage gave no usable logits' });
  return best;
}

/** Keskar et al. 2019, “CTRL”, §4.1: divides what is positive, multiplies what is negative. */
export function penalise(logits: Float32Array, seen: Set<number>, penalty: number): void {
  for (const id of seen) {
    const logit = logits[id];
    if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

/** What a draw is made of: tokens in order, each as likely as its weight; `total` is their sum. */
export interface Drawn {
  ids: Iterable<number>;
  weights: Float64Array;
  total: number;
}

/** Throws ENGINE_FAILED for logits without a number. */
export function candidatesOf(logits: Float32Array, sampling: Sampling): Drawn {
  const { temperature, topK, topP } = sampling;
  const largest = logits[argmax(logits)]!;
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp((logits[id]! - largest) / temperature);
    // A logit that is not a number is a token that cannot be chosen.
    weights[id] = Number.isNaN(weight) ? 0 : weight;
    total += weights[id]!;
  }
  const limit = topK > 0 && topK < logits.length ? topK : logits.length;
  if (limit === logits.length && topP === 1) return { ids: weights.keys(), weights, total };
  const kept = limit < logits.length ? likeliest(weights, limit) : nucleus(weights, topP * total);
  const mass = sum(kept, weights);
  if (limit === logits.length || topP === 1) return { ids: kept, weights, total: mass };
  const head = within(kept, weights, topP * mass);
  return { ids: head, weights, total: sum(head, weights) };
}

/** The `count` ids of the largest weights, in falling order. */
function likeliest(weights: Float64Array, count: number): number[] {
  const candidates = new Candidates(
    weights,
    likely(weights, (found) => found >= count),
  );
  return Array.from({ length: count }, () => candidates.pop());
}

/** The fewest ids whose weights together reach `mass`, in falling order. */
function nucleus(weights: Float64Array, mass: number): number[] {
  const candidates = new Candidates(
    weights,
    likely(weights, (_, found) => found >= mass),
  );
  const ids: number[] = [];
  for (let reached = 0; reached < mass && candidates.size > 0; ) {
    const id = candidates.pop();
    ids.push(id);
    reached += weights[id]!;
  }
  return ids;
}

/** The first of `ids` that together reach `mass`. */
function within(ids: number[], weights: Float64Array, mass: number): number[] {
  let reached = 0;
  const last = ids.findIndex((id) => {
    reached += weights[id]!;
    return reached >= mass;
  });
  return last < 0 ? ids : ids.slice(0, last + 1);
}

function sum(ids: number[], weights: Float64Array): number {
  return ids.reduce((total, id) => total + weights[id]!, 0);
}

function pick({ ids, weights, total }: Drawn, uniform: () => number): number {
  let left = uniform() * total;
  let last = 0;
  for (const id of ids) {
    const weight = weights[id]!;
    if (weight === 0) continue;
    if (left < weight) return id;
    left -= weight;
    last = id;
  }
  return last;
}

function checkSampling({ temperature, topK, topP, repetitionPenalty, seed }: Sampling): void {
  const require = (ok: boolean, reason: string) => {
    if (!ok) throw AiloError.of('SAMPLING_INVALID', { reason });
  };
  require(temperature >= 0 && temperature <= 2, 'the temperature must be between 0 and 2');
  require(Number.isInteger(topK) && topK >= 0, 'top-k must be a whole number, 0 for no limit');
  require(topP > 0 && topP <= 1, 'top-p must be above 0 and at most 1');
  require(repetitionPenalty >= 0.5 && repetitionPenalty <= 2, 'the repetition penalty must be between 0.5 and 2');
  require(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32, 'the seed must be a whole number of 32 bits');
}
