/** Whether somebody else chose a token as the sampling asks, judged by logits that are as good as the same. */
import { seededRandom } from './random.ts';
import { candidatesOf, choose, type Drawn, penalise } from './sampler.ts';
import type { Sampling } from './types.ts';

export interface AnswerVerifier {
  /**
   * Whether the next token of the answer can be `token`: `logits` [vocabSize], which may be overwritten, give it, or would
   * where each is off by `tolerance` of the largest magnitude at most. To be called for one token after the other.
   */
  agrees(logits: Float32Array, token: number): boolean;
}

/** Throws ENGINE_FAILED from `agrees` for logits without a number. */
export function createAnswerVerifier(sampling: Sampling, prompt: number[], tolerance: number): AnswerVerifier {
  const random = seededRandom(sampling.seed);
  const seen = new Set(prompt);
  return {
    agrees(logits, token) {
      const { repetitionPenalty: penalty } = sampling;
      // The penalty stretches what logits are off by, too.
      const off = 2 * tolerance * largest(logits) * Math.max(penalty, 1 / penalty);
      if (penalty !== 1) penalise(logits, seen, penalty);
      seen.add(token);
      const uniform = sampling.temperature === 0 ? 0 : random() / 2 ** 32;
      const chosen = choose(logits, sampling, () => uniform);
      return chosen === token || isNear(logits, { chosen, token, uniform }, sampling, off);
    },
  };
}

function largest(logits: Float32Array): number {
  return logits.reduce((most, logit) => Math.max(most, Math.abs(logit)), 0);
}

/**
 * A small change of logits moves what a draw means: tokens of near logits change places, the bounds between tokens move,
 * and so does what top-p keeps. `off`: by how much two logits may move against each other.
 */
function isNear(
  logits: Float32Array,
  { chosen, token, uniform }: { chosen: number; token: number; uniform: number },
  sampling: Sampling,
  off: number,
): boolean {
  const isAsGood = (id: number) => id === token || Math.abs(logits[id]! - logits[token]!) <= off;
  if (isAsGood(chosen)) return true;
  if (sampling.temperature === 0) return false;
  const share = Math.expm1(off / sampling.temperature);
  const { topP } = sampling;
  const cuts = topP === 1 ? [1] : [Math.max(Number.MIN_VALUE, topP - share), topP, Math.min(1, topP + share)];
  return cuts.some((cut) => around(candidatesOf(logits, { ...sampling, topP: cut }), uniform, share).some(isAsGood));
}

/** The tokens that a draw which is off by `share` may mean. */
function around({ ids, weights, total }: Drawn, uniform: number, share: number): number[] {
  const met: number[] = [];
  let before = 0;
  for (const id of ids) {
    const after = before + weights[id]!;
    if (before <= (uniform + share) * total && after >= (uniform - share) * total) met.push(id);
    before = after;
  }
  return met;
}
