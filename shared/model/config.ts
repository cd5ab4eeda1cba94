import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { decodeJson, parseValue } from './json.ts';
import { MAX_CONFIG_BYTES } from './limits.ts';
import { readOptional } from './optional.ts';
import { parseRope } from './rope.ts';
import { FAMILIES, type Family, type ModelConfig, type ModelSource } from './types.ts';

const size = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));
const Hidden = size(2 ** 17);
const Layers = size(1024);
const Heads = size(4096);
const Vocabulary = size(2 ** 22);
const Positions = size(2 ** 24);
const Epsilon = v.pipe(v.number(), v.gtValue(0), v.maxValue(0.1));
const TokenId = v.pipe(v.number(), v.integer(), v.minValue(0));

const Common = {
  vocab_size: Vocabulary,
  tie_word_embeddings: v.nullish(v.boolean()),
  bos_token_id: v.nullish(TokenId),
  eos_token_id: v.nullish(v.union([TokenId, v.pipe(v.array(TokenId), v.maxLength(64))])),
  quantization_config: v.nullish(v.unknown()),
};

const Gpt2 = v.object({
  ...Common,
  n_embd: Hidden,
  n_layer: Layers,
  n_head: Heads,
  n_positions: Positions,
  n_inner: v.nullish(size(2 ** 19)),
  layer_norm_epsilon: v.nullish(Epsilon),
  activation_function: v.nullish(v.string()),
  scale_attn_weights: v.nullish(v.boolean()),
  scale_attn_by_inverse_layer_idx: v.nullish(v.boolean()),
  add_cross_attention: v.nullish(v.boolean()),
});

/** llama, qwen2 and mixtral share every field that matters here. */
const Llama = v.object({
  ...Common,
  hidden_size: Hidden,
  intermediate_size: size(2 ** 19),
  num_hidden_layers: Layers,
  num_attention_heads: Heads,
  num_key_value_heads: v.nullish(Heads),
  head_dim: v.nullish(size(1024)),
  max_position_embeddings: Positions,
  rms_norm_eps: v.nullish(Epsilon),
  hidden_act: v.nullish(v.string()),
  attention_bias: v.nullish(v.boolean()),
  mlp_bias: v.nullish(v.boolean()),
  use_sliding_window: v.nullish(v.boolean()),
  sliding_window: v.nullish(v.number()),
  max_window_layers: v.nullish(v.number()),
  layer_types: v.nullish(v.pipe(v.array(v.string()), v.maxLength(1024))),
});

const Mixtral = v.object({
  ...Llama.entries,
  num_local_experts: v.nullish(size(256)),
  num_experts_per_tok: v.nullish(size(256)),
});

const GenerationConfig = v.object({ bos_token_id: Common.bos_token_id, eos_token_id: Common.eos_token_id });

const invalid = (reason: string) => AiloError.of('MODEL_CONFIG_INVALID', { reason });

/** The names that transformers gives to the activations we have (`ACT2FN`). */
const ACTIVATIONS: Readonly<Record<string, ModelConfig['activation']>> = {
  silu: 'silu',
  swish: 'silu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
};

/** `config.json`, with the end-of-text tokens of `generation_config.json` where there is one. Throws as parseConfig. */
export async function loadConfig(source: ModelSource, signal?: AbortSignal): Promise<ModelConfig> {
  const config = parseConfig(decodeJson(await source.readFile('config.json', MAX_CONFIG_BYTES, signal), invalid));
  const generation = await readOptional(source, 'generation_config.json', MAX_CONFIG_BYTES, signal);
  return generation === undefined ? config : withGenerationConfig(config, decodeJson(generation, invalid));
}

/**
 * A Hugging Face `config.json` in our vocabulary, with transformers' defaults. Throws MODEL_FAMILY_UNKNOWN, and
 * MODEL_CONFIG_INVALID for anything the graphs do not implement or that makes no sense.
 */
export function parseConfig(json: unknown): ModelConfig {
  const { model_type } = parseValue(v.object({ model_type: v.string() }), json, invalid);
  const family = FAMILIES.find((known) => known === model_type);
  if (family === undefined) throw AiloError.of('MODEL_FAMILY_UNKNOWN', { family: model_type.slice(0, 40) });
  if (family === 'gpt2') return checked(parseGpt2(json));
  return checked(family === 'mixtral' ? parseMixtral(json) : parseLlama(family, json));
}

/** What `generation_config.json` says of the tokens takes precedence, as in transformers' `generate`. */
export function withGenerationConfig(config: ModelConfig, json: unknown): ModelConfig {
  const generation = parseValue(GenerationConfig, json, invalid);
  const tokens = specialTokens({
    bos_token_id: generation.bos_token_id ?? config.bosToken,
    eos_token_id: generation.eos_token_id ?? config.eosTokens,
  });
  return checked({ ...config, ...tokens });
}

function parseGpt2(json: unknown): ModelConfig {
  const c = parseValue(Gpt2, json, invalid);
  if (c.scale_attn_weights === false) throw invalid('its attention is not scaled');
  if (c.scale_attn_by_inverse_layer_idx) throw invalid('its attention is scaled by layer');
  if (c.add_cross_attention) throw invalid('it has cross-attention');
  refuseQuantised(c.quantization_config);
  return {
    family: 'gpt2',
    layers: c.n_layer,
    hiddenSize: c.n_embd,
    intermediateSize: c.n_inner ?? 4 * c.n_embd,
    heads: c.n_head,
    kvHeads: c.n_head,
    headDim: c.n_embd / c.n_head,
    vocabSize: c.vocab_size,
    maxPositions: c.n_positions,
    normEpsilon: c.layer_norm_epsilon ?? 1e-5,
    activation: activation(c.activation_function ?? 'gelu_new'),
    tiedHead: c.tie_word_embeddings ?? true,
    ...specialTokens(c),
  };
}

function parseLlama(family: Family, json: unknown): ModelConfig {
  const c = parseValue(Llama, json, invalid);
  // qwen2 always has Q, K and V biases and says nothing of it; llama's switches would add others.
  if (c.attention_bias || c.mlp_bias) throw invalid('it has biases that the family usually does not have');
  const layersBeforeWindow = c.max_window_layers ?? 0;
  const windowed = c.use_sliding_window && c.sliding_window != null && layersBeforeWindow < c.num_hidden_layers;
  if (windowed || c.layer_types?.some((type) => type !== 'full_attention')) {
    throw invalid('it uses sliding-window attention');
  }
  refuseQuantised(c.quantization_config);
  return {
    family,
    layers: c.num_hidden_layers,
    hiddenSize: c.hidden_size,
    intermediateSize: c.intermediate_size,
    heads: c.num_attention_heads,
    kvHeads: c.num_key_value_heads ?? c.num_attention_heads,
    headDim: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    vocabSize: c.vocab_size,
    maxPositions: c.max_position_embeddings,
    normEpsilon: c.rms_norm_eps ?? 1e-6,
    activation: activation(c.hidden_act ?? 'silu'),
    rope: parseRope(json),
    tiedHead: c.tie_word_embeddings ?? false,
    ...specialTokens(c),
  };
}

function parseMixtral(json: unknown): ModelConfig {
  const c = parseValue(Mixtral, json, invalid);
  // Unlike qwen2 it has no switch: a window that is named is used.
  if (c.sliding_window != null && c.sliding_window < c.max_position_embeddings) {
    throw invalid('it uses sliding-window attention');
  }
  return {
    ...parseLlama('mixtral', json),
    normEpsilon: c.rms_norm_eps ?? 1e-5,
    experts: { count: c.num_local_experts ?? 8, perToken: c.num_experts_per_tok ?? 2 },
  };
}

function activation(name: string): ModelConfig['activation'] {
  const known = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (known === undefined) throw invalid(`its activation “${name.slice(0, 40)}” is unknown`);
  return known;
}

function specialTokens(c: {
  bos_token_id?: number | null | undefined;
  eos_token_id?: number | number[] | null | undefined;
}): Pick<ModelConfig, 'bosToken' | 'eosTokens'> {
  const eosTokens = [...new Set([c.eos_token_id ?? []].flat())];
  return c.bos_token_id == null ? { eosTokens } : { bosToken: c.bos_token_id, eosTokens };
}

function refuseQuantised(quantisation: unknown): void {
  if (quantisation != null) throw invalid('its weights are already quantised, in a format unknown here');
}

/** What has to hold between the sizes, whatever the family. */
function checked(config: ModelConfig): ModelConfig {
  const { heads, kvHeads, headDim, experts } = config;
  if (!Number.isInteger(headDim)) throw invalid(`the hidden size is not a multiple of its ${heads} heads`);
  if (heads % kvHeads !== 0) throw invalid(`${heads} heads cannot share ${kvHeads} key-value heads`);
  if (config.rope !== undefined && headDim % 2 !== 0) throw invalid('RoPE needs an even head size');
  if (experts && experts.perToken > experts.count) {
    throw invalid(`its router cannot choose ${experts.perToken} of ${experts.count} experts`);
  }
  for (const token of [...config.eosTokens, config.bosToken ?? 0]) {
    if (token >= config.vocabSize) throw invalid(`token ${token} is outside its vocabulary of ${config.vocabSize}`);
  }
  return config;
}
