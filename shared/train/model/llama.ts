/**
 * Llama (Touvron et al. 2023) and Qwen2 for training: shared/graph/llama.ts over whole sequences. Of Mixtral it knows the
 * parameters.
 */
import { headTensor } from '../../graph/family.ts';
import type { ModelConfig } from '../../model/types.ts';
import { add, mul } from '../tape/elementwise.ts';
import { gather } from '../tape/indexing.ts';
import { rmsNorm } from '../tape/normalise.ts';
import { reshape } from '../tape/shape.ts';
import type { Tensor } from '../tape/tape.ts';
import { ACTIVATIONS } from './activation.ts';
import { causalAttention } from './attention.ts';
import { DEVIATION, type Forward, type Parameter, residualDeviation, type TrainingFamily } from './family.ts';
import { linearLayer } from './lora.ts';

const EMBEDDING = 'model.embed_tokens.weight';
const FINAL_NORM = 'model.norm.weight';

export const llama: TrainingFamily = {
  parameters(config) {
    const { layers, hiddenSize: d, vocabSize, tiedHead } = config;
    const head = matrix(headTensor(config, EMBEDDING), vocabSize, d, DEVIATION);
    return [
      matrix(EMBEDDING, vocabSize, d, DEVIATION),
      ...Array.from({ length: layers }, (_, layer) => blockParameters(config, `model.layers.${layer}`)).flat(),
      norm(FINAL_NORM, d),
      ...(tiedHead ? [] : [head]),
    ];
  },

  embedding({ g, config, batch, sequence, parameter }, tokens) {
    return reshape(g, gather(g, parameter(EMBEDDING), tokens), [batch * sequence, config.hiddenSize]);
  },

  block(f, layer, x) {
    const { g, config } = f;
    const from = `model.layers.${layer}`;
    const h = normed(f, `${from}.input_layernorm.weight`, x);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => {
      const name = `${from}.self_attn.${part}_proj`;
      return linearLayer(f, h, `${name}.weight`, config.family === 'qwen2' ? `${name}.bias` : undefined);
    });
    const mixed = causalAttention(f, q!, k!, v!); // [n, heads · headDim]
    const attended = add(g, x, linearLayer(f, mixed, `${from}.self_attn.o_proj.weight`));
    const wide = normed(f, `${from}.post_attention_layernorm.weight`, attended);
    const gate = ACTIVATIONS[config.activation](g, linearLayer(f, wide, `${from}.mlp.gate_proj.weight`)); // [n, f]
    const gated = mul(g, gate, linearLayer(f, wide, `${from}.mlp.up_proj.weight`));
    return add(g, attended, linearLayer(f, gated, `${from}.mlp.down_proj.weight`));
  },

  head(f, x) {
    return linearLayer(f, normed(f, FINAL_NORM, x), headTensor(f.config, EMBEDDING));
  },
};

function blockParameters(config: ModelConfig, from: string): Parameter[] {
  const { hiddenSize: d, heads, kvHeads, headDim, family, experts } = config;
  const residual = residualDeviation(config);
  const projection = (part: string, outSize: number): Parameter[] => {
    const name = `${from}.self_attn.${part}_proj`;
    const bias = { name: `${name}.bias`, shape: [outSize], init: { constant: 0 } };
    return [matrix(`${name}.weight`, outSize, d, DEVIATION), ...(family === 'qwen2' ? [bias] : [])];
  };
  return [
    norm(`${from}.input_layernorm.weight`, d),
    ...projection('q', heads * headDim),
    ...projection('k', kvHeads * headDim),
    ...projection('v', kvHeads * headDim),
    matrix(`${from}.self_attn.o_proj.weight`, d, heads * headDim, residual),
    norm(`${from}.post_attention_layernorm.weight`, d),
    ...(experts ? mixtureParameters(config, `${from}.block_sparse_moe`) : mlpParameters(config, `${from}.mlp`, MLP)),
  ];
}

/** What a family calls the three matrices of SwiGLU. */
const MLP = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };
const EXPERT = { gate: 'w1', up: 'w3', down: 'w2' };

function mlpParameters(config: ModelConfig, from: string, { gate, up, down }: typeof MLP): Parameter[] {
  const { hiddenSize: d, intermediateSize } = config;
  return [
    matrix(`${from}.${gate}.weight`, intermediateSize, d, DEVIATION),
    matrix(`${from}.${up}.weight`, intermediateSize, d, DEVIATION),
    matrix(`${from}.${down}.weight`, d, intermediateSize, residualDeviation(config)),
  ];
}

function mixtureParameters(config: ModelConfig, from: string): Parameter[] {
  const count = config.experts!.count;
  const experts = Array.from({ length: count }, (_, i) => mlpParameters(config, `${from}.experts.${i}`, EXPERT));
  return [matrix(`${from}.gate.weight`, count, config.hiddenSize, DEVIATION), ...experts.flat()];
}

function normed({ g, config, parameter }: Forward, name: string, x: Tensor): Tensor {
  return rmsNorm(g, x, parameter(name), config.normEpsilon);
}

function norm(name: string, size: number): Parameter {
  return { name, shape: [size], init: { constant: 1 } };
}

function matrix(name: string, outSize: number, inSize: number, deviation: number): Parameter {
  return { name, shape: [outSize, inSize], init: { deviation } };
}
