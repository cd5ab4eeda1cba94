import type { Digest } from './digest.ts';

export const TRAINING_ENGINES = ['ours', 'tfjs', 'tfjsTransposing', 'jaxjs'] as const;
export type TrainingEngineName = (typeof TRAINING_ENGINES)[number];

/** An engine with the block's tensors in its memory. */
export interface TrainingEngine {
  /** That it computes with. */
  threads: number;
  /** Milliseconds of one forward and backward. */
  step(): Promise<number>;
  /** What one step computes. */
  digest(): Promise<Digest>;
  /** Milliseconds of the block's plain products and nothing else. */
  products?(): Promise<number>;
}
