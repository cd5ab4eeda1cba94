import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';
import type { MlpSlice } from './mlp-parts.ts';

/**
 * The residual stream [1, n, hiddenSize] between half-layers. `update` is what the last one adds to it and has not yet
 * added, so that this addition and the next normalisation are one operator.
 */
export interface Stream {
  residual: Value;
  update?: Value;
}

/** A model family, as what each kind of placement unit computes. */
export interface FamilyGraph {
  /** tokens int32 [1, n] → [1, n, hiddenSize]. */
  embedding(g: GraphBuilder, config: ModelConfig, tokens: Value): Stream;
  attention(g: GraphBuilder, config: ModelConfig, layer: number, stream: Stream): Stream;
  /** The MLP, or as `update` what some slices contribute to it. */
  mlp(g: GraphBuilder, config: ModelConfig, layer: number, stream: Stream, slices: MlpSlice[]): Required<Stream>;
  /** The last row's logits [1, 1, vocabSize]. */
  head(g: GraphBuilder, config: ModelConfig, stream: Stream): Value;
}

/** The stream as one value, with everything added. */
export function settled(g: GraphBuilder, { residual, update }: Stream): Value {
  return update ? g.add(residual, update) : residual;
}

/** The tensor [vocabSize, hiddenSize] that makes logits: the embedding again, or one of its own. */
export function headTensor(config: ModelConfig, embedding: string): string {
  return config.tiedHead ? embedding : 'lm_head.weight';
}
