/**
 * Llama (Touvron et al. 2023), Qwen2 (Yang et al. 2024), which differs by the biases of Q, K and V, and Mixtral (Jiang et
 * al. 2024), whose MLP is a mixture of experts.
 */
import type { ModelConfig } from '../model/types.ts';
import { activate } from './activation.ts';
import { attend } from './attention.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { type FamilyGraph, headTensor, type Stream, settled, wantedRows } from './family.ts';
import { linear } from './linear.ts';
import { lookUp } from './lookup.ts';
import { mixture } from './mixture.ts';
import type { MlpSlice } from './mlp-parts.ts';
import type { MatrixSource } from './types.ts';

const EMBEDDING = 'model.embed_tokens.weight';

export const llama: FamilyGraph = {
  embedding(g, { vocabSize, hiddenSize }, tokens) {
    const table = { name: 'embedding', tensor: EMBEDDING, rows: vocabSize, width: hiddenSize };
    return { residual: lookUp(g, table, tokens) }; // [1, n, d]
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

  mlp(g, config, layer, stream, slices) {
    const from = `model.layers.${layer}`;
    const { normed, residual } = norm(g, config, stream, `${from}.post_attention_layernorm.weight`);
    if (!config.experts) {
      const [gate, up, down] = ['gate', 'up', 'down'].map((part) => `${from}.mlp.${part}_proj.weight`);
      const tensors = { gate: gate!, up: up!, down: down! };
      return { residual, update: swiGlu(g, config, normed, { name: `layers.${layer}`, tensors, slice: slices[0]! }) };
    }
    const moe = `${from}.block_sparse_moe`;
    const update = mixture(g, config, { x: normed, router: `${moe}.gate.weight`, slices }, (rows, slice) => {
      const [gate, down, up] = ['w1', 'w2', 'w3'].map((part) => `${moe}.experts.${slice.expert}.${part}.weight`);
      const tensors = { gate: gate!, up: up!, down: down! };
      return swiGlu(g, config, rows, { name: `layers.${layer}.experts.${slice.expert}`, tensors, slice });
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

/** SwiGLU (Shazeer 2020): x [1, n, d] or [n, d] → the same, by the MLP's columns of `slice` alone. */
function swiGlu(
  g: GraphBuilder,
  config: ModelConfig,
  x: Value,
  {
    name,
    tensors,
    slice: { start, end },
  }: { name: string; tensors: { gate: string; up: string; down: string }; slice: MlpSlice },
): Value {
  const { hiddenSize, intermediateSize: of } = config;
  const width = end - start;
  const part = (axis: 'in' | 'out') => width < of && { part: { axis, start, of } };
  const wide = { inSize: hiddenSize, outSize: width, ...part('out') };
  const gate = projection(g, x, `${name}.gate`, tensors.gate, wide); // [1, n, columns]
  const up = projection(g, x, `${name}.up`, tensors.up, wide); // [1, n, columns]
  const gated = g.mul(activate(g, config, gate), up);
  return projection(g, gated, `${name}.down`, tensors.down, { inSize: width, outSize: hiddenSize, ...part('in') });
}

function projection(
  g: GraphBuilder,
  x: Value,
  name: string,
  tensor: string,
  { inSize, outSize, part }: { inSize: number; outSize: number; part?: MatrixSource['part'] },
): Value {
  const source: MatrixSource = {
    tensors: [tensor],
    layout: 'out-in',
    inSize,
    outSizes: [outSize],
    ...(part && { part }),
  };
  return linear(g, x, { name, source });
}
