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

/** How many times as fast as each peer we are. */
export function ratios(
  figures: ReadonlyMap<SoloEngineName, Figures>,
): Record<string, { decode: number; prefill: number }> {
  const own = figures.get('ailo');
  if (!own) return {};
  const peers = [...figures].filter(([engine]) => engine !== 'ailo');
  return Object.fromEntries(
    peers.map(([engine, peer]) => [
      engine,
      {
        decode: own.decodeTokensPerSecond / peer.decodeTokensPerSecond,
        prefill: own.prefillTokensPerSecond / peer.prefillTokensPerSecond,
      },
    ]),
  );
}

/**
 * Of all texts, the share whose first token is that of the first engine: that they compute the same model. Later tokens
 * differ sooner or later, since the engines round differently.
 */
export function agreeing(of: readonly { answers: readonly SoloAnswer[] }[]): number {
  const firsts = of.map(({ answers }) => answers.map(({ tokens }) => tokens[0]));
  const same = firsts.flatMap((tokens) => tokens.map((token, round) => Number(token === firsts[0]![round])));
  return same.reduce((sum, one) => sum + one, 0) / same.length;
}
