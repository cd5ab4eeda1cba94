import { median } from '../median.ts';
import type { SoloAnswer, SoloEngineName } from './types.ts';

/** Medians over the rounds. */
export interface Figures {
  decodeTokensPerSecond: number;
  prefillTokensPerSecond: number;
  /** Of the products that the prompt needs: logits of its last position only, whatever the engine computed. */
  prefillGflops: number;
  /** Resident, of the renderer with its workers, loading included; where the system tells. */
  peakBytes?: number;
}

export function figuresOf(
  answers: readonly SoloAnswer[],
  of: { prefillTokens: number; newTokens: number; flops: number; peakBytes: number | undefined },
): Figures {
  const prefillMs = median(answers.map((answer) => answer.prefillMs));
  const decodeMs = median(answers.map((answer) => answer.decodeMs));
  return {
    decodeTokensPerSecond: (1000 * (of.newTokens - 1)) / decodeMs,
    prefillTokensPerSecond: (1000 * of.prefillTokens) / prefillMs,
    prefillGflops: of.flops / prefillMs / 1e6,
    ...(of.peakBytes !== undefined && { peakBytes: of.peakBytes }),
  };
}

export interface Measured {
  figures: Figures;
  answers: readonly SoloAnswer[];
}

export interface Comparison {
  /** How many times as fast as the peer we are. */
  decode: number;
  prefill: number;
  /**
   * Of its texts, the share that begins with the token that ours do: whether it computes the same model. Later tokens differ
   * sooner or later, since the engines round differently.
   */
  agreeing: number;
}

/** With each peer; empty where we were not measured. */
export function comparisons(measured: ReadonlyMap<SoloEngineName, Measured>): Record<string, Comparison> {
  const own = measured.get('ailo');
  if (!own) return {};
  const compared = ({ figures, answers }: Measured): Comparison => ({
    decode: own.figures.decodeTokensPerSecond / figures.decodeTokensPerSecond,
    prefill: own.figures.prefillTokensPerSecond / figures.prefillTokensPerSecond,
    agreeing: answers.filter(({ tokens }, i) => tokens[0] === own.answers[i]!.tokens[0]).length / answers.length,
  });
  return Object.fromEntries(
    [...measured].filter(([name]) => name !== 'ailo').map(([name, peer]) => [name, compared(peer)]),
  );
}
