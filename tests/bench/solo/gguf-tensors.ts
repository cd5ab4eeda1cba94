/** llama.cpp's names for a model's tensors, in the order of execution. */
import type { ModelConfig } from '../../../shared/model/types.ts';
import type { GgufTensor } from './gguf.ts';

export function ggufTensors(config: ModelConfig): GgufTensor[] {
  return config.family === 'gpt2' ? gpt2(config) : qwen2(config);
}

function gpt2({ layers, hiddenSize: d, intermediateSize: f, vocabSize, maxPositions }: ModelConfig): GgufTensor[] {
  const of = (layer: number): GgufTensor[] => {
    const from = `transformer.h.${layer}`;
    const to = `blk.${layer}`;
    const conv1d = (name: string, tensor: string, outSize: number, inSize: number): GgufTensor[] => [
      { ...matrix(`${to}.${name}.weight`, `${from}.${tensor}.weight`, outSize, inSize), transposed: true },
      vector(`${to}.${name}.bias`, `${from}.${tensor}.bias`, outSize),
    ];
    return [
      ...pair(`${to}.attn_norm`, `${from}.ln_1`, d),
      ...conv1d('attn_qkv', 'attn.c_attn', 3 * d, d),
      ...conv1d('attn_output', 'attn.c_proj', d, d),
      ...pair(`${to}.ffn_norm`, `${from}.ln_2`, d),
      ...conv1d('ffn_up', 'mlp.c_fc', f, d),
      ...conv1d('ffn_down', 'mlp.c_proj', d, f),
    ];
  };
  return [
    matrix('token_embd.weight', 'transformer.wte.weight', vocabSize, d),
    { ...matrix('position_embd.weight', 'transformer.wpe.weight', maxPositions, d), type: 'f32' },
    ...Array.from({ length: layers }, (_, layer) => of(layer)).flat(),
    ...pair('output_norm', 'transformer.ln_f', d),
  ];
}

function qwen2(config: ModelConfig): GgufTensor[] {
  const { layers, hiddenSize: d, intermediateSize: f, heads, kvHeads, headDim, vocabSize } = config;
  const of = (layer: number): GgufTensor[] => {
    const from = `model.layers.${layer}`;
    const to = `blk.${layer}`;
    const sizes = { q: heads * headDim, k: kvHeads * headDim, v: kvHeads * headDim };
    return [
      vector(`${to}.attn_norm.weight`, `${from}.input_layernorm.weight`, d),
      ...(['q', 'k', 'v'] as const).flatMap((part) => [
        matrix(`${to}.attn_${part}.weight`, `${from}.self_attn.${part}_proj.weight`, sizes[part], d),
        vector(`${to}.attn_${part}.bias`, `${from}.self_attn.${part}_proj.bias`, sizes[part]),
      ]),
      matrix(`${to}.attn_output.weight`, `${from}.self_attn.o_proj.weight`, d, heads * headDim),
      vector(`${to}.ffn_norm.weight`, `${from}.post_attention_layernorm.weight`, d),
      matrix(`${to}.ffn_gate.weight`, `${from}.mlp.gate_proj.weight`, f, d),
      matrix(`${to}.ffn_up.weight`, `${from}.mlp.up_proj.weight`, f, d),
      matrix(`${to}.ffn_down.weight`, `${from}.mlp.down_proj.weight`, d, f),
    ];
  };
  return [
    matrix('token_embd.weight', 'model.embed_tokens.weight', vocabSize, d),
    ...Array.from({ length: layers }, (_, layer) => of(layer)).flat(),
    vector('output_norm.weight', 'model.norm.weight', d),
  ];
}

function matrix(name: string, from: string, outSize: number, inSize: number): GgufTensor {
  return { name, from, shape: [outSize, inSize], type: 'q8_0' };
}

function vector(name: string, from: string, size: number): GgufTensor {
  return { name, from, shape: [size], type: 'f32' };
}

function pair(name: string, from: string, size: number): GgufTensor[] {
  return ['weight', 'bias'].map((part) => vector(`${name}.${part}`, `${from}.${part}`, size));
}
