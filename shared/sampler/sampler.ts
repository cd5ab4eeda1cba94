import { AiloError } from '../errors/index.ts';
import { Candidates } from './candidates.ts';
import { seededRandom } from './random.ts';
import type { Sampler, Sampling } from './types.ts';

/**
 * A sampler for one sequence that begins with `prompt`. In the order of transformers: repetition penalty,
 * temperature, top-k, top-p, draw. Throws SAMPLING_INVALID; `next` throws ENGINE_FAILED for logits without a number.
 */
export function createSampler(sampling: Sampling, prompt: number[]): Sampler {
  checkSampling(sampling);
  const random = seededRandom(sampling.seed);
  const seen = new Set(prompt);
  return {
    next(logits) {
      if (sampling.repetitionPenalty !== 1) penalise(logits, seen, sampling.repetitionPenalty);
      const likeliest = argmax(logits);
      const token = sampling.temperature === 0 ? likeliest : draw(logits, logits[likeliest]!, sampling, random);
      seen.add(token);
      return token;
    },
  };
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
function penalise(logits: Float32Array, seen: Set<number>, penalty: number): void {
  for (const id of seen) {
    const logit = logits[id];
    if (logit !== undefined) logits[id] = logit > 0 ? logit / penalty : logit * penalty;
  }
}

function draw(logits: Float32Array, largest: number, sampling: Sampling, random: () => number): number {
  const { temperature, topK, topP } = sampling;
  const weights = new Float64Array(logits.length);
  let total = 0;
  for (let id = 0; id < logits.length; id++) {
    const weight = Math.exp((logits[id]! - largest) / temperature);
    // A logit that is not a number is a token that cannot be chosen.
    weights[id] = Number.isNaN(weight) ? 0 : weight;
    total += weights[id]!;
  }
  const limited = topK > 0 && topK < logits.length;
  if (!limited && topP === 1) return pick(weights.keys(), weights, total, random);
  const likeliest = new Candidates(weights);
  let ids: number[] = [];
  if (limited) {
    ids = Array.from({ length: topK }, () => likeliest.pop());
    total = ids.reduce((sum, id) => sum + weights[id]!, 0);
  }
  let nucleus = 0;
  let kept = 0;
  while (nucleus < topP * total && kept < (limited ? topK : logits.length)) {
    if (!limited) ids.push(likeliest.pop());
    nucleus += weights[ids[kept++]!]!;
  }
  return pick(ids.slice(0, kept), weights, nucleus, random);
}

/** One of `ids`, each as likely as its weight; `total` is their sum. */
function pick(ids: Iterable<number>, weights: Float64Array, total: number, random: () => number): number {
  let left = (random() / 2 ** 32) * total;
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
