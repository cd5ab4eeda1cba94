import type { SoloModel } from './models.ts';

export const SOLO_ENGINES = ['ailo', 'transformers.js', 'wllama'] as const;
export type SoloEngineName = (typeof SOLO_ENGINES)[number];

export interface SoloLoad {
  engine: SoloEngineName;
  model: SoloModel;
  threads: number;
  contextLength: number;
  seed: number;
}

export interface SoloAnswer {
  /** Greedy. */
  tokens: number[];
  /** Until the first token was there. */
  prefillMs: number;
  /** From the first token to the last. */
  decodeMs: number;
}

/** A model that is loaded; each question is a new text. */
export interface SoloEngine {
  answer(prompt: number[], newTokens: number): Promise<SoloAnswer>;
}
