import type { ModelConfig } from '../../model/types.ts';
import type { Tape, Tensor } from '../tape/tape.ts';
import type { TrainingConfig } from './lora.ts';

/** A trained tensor, by its name in the safetensors file. */
export interface Parameter {
  name: string;
  shape: readonly number[];
  /** How it begins: a constant, or normally distributed around 0 with this standard deviation. */
  init: { constant: number } | { deviation: number };
}

/** What the forward definitions record on: b sequences of t tokens, one after the other as n = b · t rows. */
export interface Forward {
  g: Tape;
  config: TrainingConfig;
  batch: number;
  sequence: number;
  /** The parameter as an input of the graph. Throws RangeError for a name the model does not have. */
  parameter: (name: string) => Tensor;
}

/**
 * A model family as it is trained: the same tensors as the inference definition (shared/graph), in operators that have
 * a gradient. A block is an attention half-layer and an MLP half-layer.
 */
export interface TrainingFamily {
  parameters(config: ModelConfig): Parameter[];
  /** tokens int32 [b, t] → [n, hiddenSize]. */
  embedding(f: Forward, tokens: Tensor): Tensor;
  /** [n, hiddenSize] → the same. */
  block(f: Forward, layer: number, x: Tensor): Tensor;
  /** [n, hiddenSize] → logits [n, vocabSize]. */
  head(f: Forward, x: Tensor): Tensor;
}

/** GPT-2's initialisation: what adds to the residual stream begins smaller, by the number of additions. */
export const DEVIATION = 0.02;
export function residualDeviation({ layers }: ModelConfig): number {
  return DEVIATION / Math.sqrt(2 * layers);
}
