import type { ModelConfig } from '../../../shared/model/types.ts';
import type { BatchShape } from '../../../shared/train/model/model.ts';

export interface StepFlops {
  /** Of the products that a gradient needs: forward, and twice that backward. */
  needed: number;
  /** Of those that are computed: every block once more on the way back, but for its last product. */
  computed: number;
}

/** Floating-point operations of the matrix products of a step of a GPT-2, two for each multiplication and addition. */
export function stepFlops(config: ModelConfig, { batch, sequence }: BatchShape): StepFlops {
  const { hiddenSize: d, intermediateSize: f, layers, vocabSize } = config;
  const rows = batch * sequence;
  const down = 2 * rows * f * d;
  // Queries, keys, values and output; scores and what they mix; up and down.
  const block = 2 * rows * 4 * d * d + 4 * batch * sequence ** 2 * d + 2 * down;
  const head = 2 * rows * d * vocabSize;
  const needed = 3 * (layers * block + head);
  return { needed, computed: needed + layers * (block - down) };
}
