import type { ModelConfig } from '../model/types.ts';
import { PORTS } from './attention.ts';
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
  /** The logits [1, m, vocabSize] of the rows that are asked for. */
  head(g: GraphBuilder, config: ModelConfig, stream: Stream): Value;
}

/** The stream as one value, with everything added. */
export function settled(g: GraphBuilder, { residual, update }: Stream): Value {
  return update ? g.add(residual, update) : residual;
}

/** x [1, n, d] → [1, m, d]: a head computes the logits that are wanted, and no others. */
export function wantedRows(g: GraphBuilder, x: Value): Value {
  return g.rowsAt(x, g.input(PORTS.logitRows, 'int64', ['logit_rows']));
}

/** The tensor [vocabSize, hiddenSize] that makes logits: the embedding again, or one of its own. */
export function headTensor(config: ModelConfig, embedding: string): string {
  return config.tiedHead ? embedding : 'lm_head.weight';
}
