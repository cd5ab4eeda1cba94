/** GPT-2 (Radford et al. 2019): learned positions, LayerNorm before each half-layer, biases everywhere. */
import type { ModelConfig } from '../model/types.ts';
import { activate } from './activation.ts';
import { attend, positions } from './attention.ts';
import type { GraphBuilder, Value } from './builder.ts';
import { type FamilyGraph, headTensor, type Stream, settled, wantedRows } from './family.ts';
import { linear } from './linear.ts';
import { lookUp } from './lookup.ts';
import type { MatrixSource } from './types.ts';

const EMBEDDING = 'transformer.wte.weight';

export const gpt2: FamilyGraph = {
  embedding(g, { vocabSize, hiddenSize, maxPositions }, tokens) {
    const table = { name: 'embedding', tensor: EMBEDDING, rows: vocabSize, width: hiddenSize };
    const places = g.weight('positions.table', [maxPositions, hiddenSize], {
      kind: 'copy',
      tensors: ['transformer.wpe.weight'],
    });
    return { residual: lookUp(g, table, tokens), update: g.gather(places, positions(g)) }; // [1, n, d] each
  },

  attention(g, config, layer, stream) {
    const { hiddenSize } = config;
    const from = `transformer.h.${layer}`;
    const { normed, residual } = norm(g, config, stream, `${from}.ln_1`);
    const qkv = conv1d(g, normed, `layers.${layer}.qkv`, `${from}.attn.c_attn`, hiddenSize, 3 * hiddenSize); // [1, n, 3d]
    const attended = attend(g, config, layer, qkv); // [1, n, d]
    return {
      residual,
      update: conv1d(g, attended, `layers.${layer}.o`, `${from}.attn.c_proj`, hiddenSize, hiddenSize),
    };
  },

  mlp(g, config, layer, stream, slices) {
    const { hiddenSize, intermediateSize } = config;
    const from = `transformer.h.${layer}`;
    const { normed, residual } = norm(g, config, stream, `${from}.ln_2`);
    const { start, end } = slices[0]!;
    const width = end - start;
    const wide = linear(g, normed, {
      name: `layers.${layer}.up`,
      source: {
        ...conv1dSource(`${from}.mlp.c_fc`, hiddenSize, width),
        ...(width < intermediateSize && { part: { axis: 'out', start, of: intermediateSize } }),
      },
      bias: [`${from}.mlp.c_fc.bias`],
    }); // [1, n, columns]
    const update = linear(g, activate(g, config, wide), {
      name: `layers.${layer}.down`,
      source: {
        ...conv1dSource(`${from}.mlp.c_proj`, width, hiddenSize),
        ...(width < intermediateSize && { part: { axis: 'in', start, of: intermediateSize } }),
      },
      // Of parts that are added up, one brings the bias.
      ...(start === 0 && { bias: [`${from}.mlp.c_proj.bias`] }),
    });
    return { residual, update };
  },

  head(g, config, stream) {
    const { hiddenSize, vocabSize } = config;
    const rows = wantedRows(g, settled(g, stream)); // [1, m, d]
    const { normed } = norm(g, config, { residual: rows }, 'transformer.ln_f');
    const tensors = [headTensor(config, EMBEDDING)];
    const source = { tensors, layout: 'out-in' as const, inSize: hiddenSize, outSizes: [vocabSize] };
    return linear(g, normed, { name: 'head', source }); // [1, m, vocabulary]
  },
};

function norm(g: GraphBuilder, config: ModelConfig, stream: Stream, from: string): { normed: Value; residual: Value } {
  const { residual, update } = stream;
  const weight = g.vector(`${from}.weight`, config.hiddenSize, [`${from}.weight`]);
  const bias = g.vector(`${from}.bias`, config.hiddenSize, [`${from}.bias`]);
  if (!update) return { normed: g.layerNorm(residual, weight, bias, config.normEpsilon), residual };
  const { normed, sum } = g.skipLayerNorm(residual, update, weight, bias, config.normEpsilon);
  return { normed, residual: sum };
}

/** OpenAI's name for a linear layer whose weight is stored [in, out]. */
function conv1d(g: GraphBuilder, x: Value, name: string, from: string, inSize: number, outSize: number): Value {
  return linear(g, x, { name, source: conv1dSource(from, inSize, outSize), bias: [`${from}.bias`] });
}

function conv1dSource(from: string, inSize: number, outSize: number): MatrixSource {
  return { tensors: [`${from}.weight`], layout: 'in-out', inSize, outSizes: [outSize] };
}
