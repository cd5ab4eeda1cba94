/** Llama (Touvron et al. 2023) and Qwen2 (Yang et al. 2024), which differs by the biases of Q, K and V. */
import type { ModelConfig } from '../model/types.ts';
import { activate } from './activation.ts';
import { attend } from './attention.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { type FamilyGraph, headTensor, type Stream, settled, wantedRows } from './family.ts';
import { linear } from './linear.ts';

const EMBEDDING = 'model.embed_tokens.weight';

export const llama: FamilyGraph = {
  embedding(g, { vocabSize, hiddenSize }, tokens) {
    const table = g.weight('embedding', [vocabSize, hiddenSize], { kind: 'copy', tensors: [EMBEDDING] });
    return { residual: g.gather(table, tokens) }; // [1, n, d]
  },

  attention(g, config, layer, stream) {
    const { heads, kvHeads, headDim, hiddenSize } = config;
    const from = `model.layers.${layer}`;
    const { normed, residual } = norm(g, config, stream, `${from}.input_layernorm.weight`);
    const projections = ['q', 'k', 'v'].map((part) => `${from}.self_attn.${part}_proj`);
    const qkv = linear(g, normed, {
      name: `layers.${layer}.qkv`,
      source: {
        tensors: projections.map((name) => `${name}.weight`),
        layout: 'out-in',
        inSize: hiddenSize,
        outSizes: [heads * headDim, kvHeads * headDim, kvHeads * headDim],
      },
      ...(config.family === 'qwen2' && { bias: projections.map((name) => `${name}.bias`) }),
    }); // [1, n, (heads + 2 kvHeads) · headDim]
    const attended = attend(g, config, layer, qkv); // [1, n, heads · headDim]
    const update = projection(g, attended, `layers.${layer}.o`, `${from}.self_attn.o_proj.weight`, {
      inSize: heads * headDim,
      outSize: hiddenSize,
    });
    return { residual, update };
  },

  /** SwiGLU (Shazeer 2020). */
  mlp(g, config, layer, stream) {
    const { hiddenSize, intermediateSize } = config;
    const from = `model.layers.${layer}`;
    const { normed, residual } = norm(g, config, stream, `${from}.post_attention_layernorm.weight`);
    const wide = { inSize: hiddenSize, outSize: intermediateSize };
    const gate = projection(g, normed, `layers.${layer}.gate`, `${from}.mlp.gate_proj.weight`, wide); // [1, n, f]
    const up = projection(g, normed, `layers.${layer}.up`, `${from}.mlp.up_proj.weight`, wide); // [1, n, f]
    const gated = g.mul(activate(g, config, gate), up); // [1, n, f]
    const update = projection(g, gated, `layers.${layer}.down`, `${from}.mlp.down_proj.weight`, {
      inSize: intermediateSize,
      outSize: hiddenSize,
    });
    return { residual, update };
  },

  head(g, config, stream) {
    const rows = wantedRows(g, settled(g, stream)); // [1, m, d]
    const { normed } = norm(g, config, { residual: rows }, 'model.norm.weight');
    const sizes = { inSize: config.hiddenSize, outSize: config.vocabSize };
    return projection(g, normed, 'head', headTensor(config, EMBEDDING), sizes); // [1, m, vocabulary]
  },
};

function norm(
  g: GraphBuilder,
  config: ModelConfig,
  stream: Stream,
  tensor: string,
): { normed: Value; residual: Value } {
  const { residual, update } = stream;
  const weight = g.vector(tensor, config.hiddenSize, [tensor]);
  if (!update) return { normed: g.rmsNorm(residual, weight, config.normEpsilon), residual };
  const { normed, sum } = g.skipRmsNorm(residual, update, weight, config.normEpsilon);
  return { normed, residual: sum };
}

function projection(
  g: GraphBuilder,
  x: Value,
  name: string,
  tensor: string,
  { inSize, outSize }: { inSize: number; outSize: number },
): Value {
  const source = { tensors: [tensor], layout: 'out-in' as const, inSize, outSizes: [outSize] };
  return linear(g, x, { name, source });
}
