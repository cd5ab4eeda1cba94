/** A trained model as other programs read it: Hugging Face's `config.json` and safetensors. */
import { storedInOut } from '../model/adapter.ts';
import type { ModelConfig } from '../model/types.ts';
import type { Parameter } from './model/family.ts';
import type { AdaptedConfig } from './model/lora.ts';
import { trainedOf } from './model/model.ts';
import { sizeOf } from './tape/tape.ts';

const ACTIVATIONS = { silu: 'silu', gelu: 'gelu', gelu_tanh: 'gelu_new' };
const ARCHITECTURES = {
  gpt2: 'GPT2LMHeadModel',
  llama: 'LlamaForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  mixtral: 'MixtralForCausalLM',
};
/** The header is padded so that the tensors begin at a multiple of it. */
const ALIGNMENT = 8;

/** What `parseConfig` reads back as the same configuration. */
export function configJson(config: ModelConfig): object {
  const common = {
    architectures: [ARCHITECTURES[config.family]],
    model_type: config.family,
    vocab_size: config.vocabSize,
    tie_word_embeddings: config.tiedHead,
    torch_dtype: 'float32',
    ...(config.bosToken !== undefined && { bos_token_id: config.bosToken }),
    ...(config.eosTokens.length > 0 && { eos_token_id: config.eosTokens }),
  };
  if (!config.rope) {
    return {
      ...common,
      n_embd: config.hiddenSize,
      n_layer: config.layers,
      n_head: config.heads,
      n_positions: config.maxPositions,
      n_inner: config.intermediateSize,
      layer_norm_epsilon: config.normEpsilon,
      activation_function: ACTIVATIONS[config.activation],
    };
  }
  return {
    ...common,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    max_position_embeddings: config.maxPositions,
    rms_norm_eps: config.normEpsilon,
    hidden_act: ACTIVATIONS[config.activation],
    ...(config.experts && {
      num_local_experts: config.experts.count,
      num_experts_per_tok: config.experts.perToken,
    }),
    ...ropeJson(config.rope),
  };
}

/** PEFT's `adapter_config.json` of adapters as `openAdapter` reads them back. */
export function adapterConfigJson(config: AdaptedConfig, base: string): object {
  const modules = trainedOf(config).map(({ name }) => /\.(\w+)\.lora_A\.weight$/.exec(name)?.[1]);
  return {
    peft_type: 'LORA',
    task_type: 'CAUSAL_LM',
    base_model_name_or_path: base,
    r: config.lora.rank,
    lora_alpha: config.lora.alpha,
    lora_dropout: 0,
    bias: 'none',
    fan_in_fan_out: storedInOut(config),
    target_modules: [...new Set(modules.filter((name) => name !== undefined))],
    inference_mode: true,
  };
}

/** The beginning of a safetensors file; the parameters follow it in their order, little-endian. */
export function safetensorsHeader(parameters: readonly Parameter[], dtype: 'F32' | 'F16' | 'BF16' = 'F32'): Uint8Array {
  let end = 0;
  const entries = parameters.map(({ name, shape }) => {
    const start = end;
    end += (dtype === 'F32' ? 4 : 2) * sizeOf(shape);
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const metadata = { __metadata__: { format: 'pt' } };
  const json = new TextEncoder().encode(JSON.stringify({ ...metadata, ...Object.fromEntries(entries) }));
  const length = Math.ceil(json.length / ALIGNMENT) * ALIGNMENT;
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  return header;
}

function ropeJson({ theta, scaling }: NonNullable<ModelConfig['rope']>): object {
  if (!scaling) return { rope_theta: theta };
  return {
    rope_theta: theta,
    rope_scaling: {
      rope_type: 'llama3',
      factor: scaling.factor,
      low_freq_factor: scaling.lowFrequencyFactor,
      high_freq_factor: scaling.highFrequencyFactor,
      original_max_position_embeddings: scaling.originalMaxPositions,
    },
  };
}
