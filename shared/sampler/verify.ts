/** Whether somebody else chose a token as the sampling asks, judged by logits that are as good as the same. */
import { seededRandom } from './random.ts';
import { choose, penalise } from './sampler.ts';
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
      if (sampling.repetitionPenalty !== 1) penalise(logits, seen, sampling.repetitionPenalty);
      seen.add(token);
      const uniform = sampling.temperature === 0 ? 0 : random() / 2 ** 32;
      const chosen = choose(logits, sampling, () => uniform);
      return chosen === token || isNear(logits, { chosen, token, uniform }, sampling, tolerance);
    },
  };
}

/**
 * A small change of logits moves what a draw means: tokens of near logits change places, the bounds between tokens move,
 * and so does what top-p keeps.
 */
function isNear(
  logits: Float32Array,
  { chosen, token, uniform }: { chosen: number; token: number; uniform: number },
  sampling: Sampling,
  tolerance: number,
): boolean {
  const off = 2 * tolerance * logits.reduce((largest, logit) => Math.max(largest, Math.abs(logit)), 0);
  if (Math.abs(logits[chosen]! - logits[token]!) <= off) return true;
  if (sampling.temperature === 0) return false;
  const share = Math.expm1(off / sampling.temperature);
  return [-share, 0, share].some((drawn) =>
    [-share, 0, share].some((kept) => {
      const topP = sampling.topP === 1 ? 1 : Math.min(1, Math.max(Number.MIN_VALUE, sampling.topP + kept));
      const draw = Math.min(1 - 2 ** -32, Math.max(0, uniform + drawn));
      return choose(logits, { ...sampling, topP }, () => draw) === token;
    }),
  );
}
