import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadConfig, parseConfig, withGenerationConfig } from './config.ts';
import { memorySource } from './testing.ts';

const shared = new URL('../../../shared/', import.meta.url);
const llama = {
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  eos_token_id: 2,
};
const qwen2 = { ...llama, model_type: 'qwen2' };
const mixtral = { ...llama, model_type: 'mixtral' };
const gpt2 = { model_type: 'gpt2', n_embd: 48, n_layer: 2, n_head: 3, n_positions: 64, vocab_size: 99 };
const thrown = (json: unknown) => {
  try {
    return parseConfig(json);
  } catch (error) {
    return error;
  }
};

describe.skipIf(!existsSync(shared))('configurations of real models (need ../shared)', () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, shared), 'utf8'));

  it('stories260k', () => {
    expect(parseConfig(read('models/stories260k/config.json'))).toEqual({
      family: 'llama',
      layers: 5,
      hiddenSize: 64,
      intermediateSize: 172,
      heads: 8,
      kvHeads: 4,
      headDim: 8,
      vocabSize: 512,
      maxPositions: 512,
      normEpsilon: 1e-5,
      activation: 'silu',
      rope: { theta: 10_000 },
      tiedHead: true,
      bosToken: 1,
      eosTokens: [2],
    });
  });

  it('gpt2', () => {
    expect(parseConfig(read('tokenizers/gpt2/config.json'))).toEqual({
      family: 'gpt2',
      layers: 12,
      hiddenSize: 768,
      intermediateSize: 3072,
      heads: 12,
      kvHeads: 12,
      headDim: 64,
      vocabSize: 50_257,
      maxPositions: 1024,
      normEpsilon: 1e-5,
      activation: 'gelu_tanh',
      tiedHead: true,
      bosToken: 50_256,
      eosTokens: [50_256],
    });
  });

  it('qwen2.5', () => {
    expect(parseConfig(read('tokenizers/qwen2.5/config.json'))).toMatchObject({
      family: 'qwen2',
      kvHeads: 2,
      headDim: 64,
      rope: { theta: 1_000_000 },
      normEpsilon: 1e-6,
      eosTokens: [151_645],
    });
  });
});

describe('parseConfig', () => {
  const scaling = { factor: 8, low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 };
  const expected = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192 };

  it.each([
    ['rope_scaling.rope_type', { rope_theta: 5e5, rope_scaling: { ...scaling, rope_type: 'llama3' } }],
    ['rope_scaling.type', { rope_theta: 5e5, rope_scaling: { ...scaling, type: 'llama3' } }],
    ['rope_parameters', { rope_parameters: { ...scaling, rope_type: 'llama3', rope_theta: 5e5 } }],
  ])('reads Llama 3’s RoPE scaling from %s', (_, more) => {
    expect(parseConfig({ ...llama, ...more }).rope).toEqual({ theta: 5e5, scaling: expected });
  });

  it('takes default RoPE parameters as no scaling', () => {
    const rope_parameters = { rope_type: 'default', rope_theta: 1234 };
    expect(parseConfig({ ...llama, rope_parameters }).rope).toEqual({ theta: 1234 });
  });

  it('knows the defaults that differ by family', () => {
    expect(parseConfig(llama)).toMatchObject({ tiedHead: false, normEpsilon: 1e-6, rope: { theta: 10_000 } });
    expect(parseConfig(gpt2)).toMatchObject({ tiedHead: true, intermediateSize: 192, activation: 'gelu_tanh' });
    expect(parseConfig({ ...llama, num_key_value_heads: null }).kvHeads).toBe(8);
    expect(parseConfig({ ...llama, head_dim: 32 }).headDim).toBe(32);
    expect(parseConfig(gpt2)).not.toHaveProperty('rope');
    expect(parseConfig(gpt2)).not.toHaveProperty('bosToken');
  });

  it('reads a mixture of experts, with Mixtral’s defaults', () => {
    const experts = { count: 8, perToken: 2 };
    expect(parseConfig(mixtral)).toMatchObject({ family: 'mixtral', experts, normEpsilon: 1e-5 });
    const other = { num_local_experts: 16, num_experts_per_tok: 4, sliding_window: null };
    expect(parseConfig({ ...mixtral, ...other }).experts).toEqual({ count: 16, perToken: 4 });
    expect(parseConfig(llama)).not.toHaveProperty('experts');
  });

  it.each([
    ['gelu_new', 'gelu_tanh'],
    ['gelu_pytorch_tanh', 'gelu_tanh'],
    ['gelu', 'gelu'],
    ['silu', 'silu'],
  ])('calls the activation %s %s', (name, ours) => {
    expect(parseConfig({ ...gpt2, activation_function: name }).activation).toBe(ours);
  });

  it('accepts Qwen’s window settings while the window is off', () => {
    const off = { use_sliding_window: false, sliding_window: 32_768, max_window_layers: 2 };
    expect(parseConfig({ ...qwen2, ...off }).family).toBe('qwen2');
    const beyond = { use_sliding_window: true, sliding_window: 4096, max_window_layers: 5 };
    expect(parseConfig({ ...qwen2, ...beyond }).family).toBe('qwen2');
  });

  it.each([['phi3'], ['constructor'], ['GPT2']])('refuses the family %s by name', (model_type) => {
    expect(thrown({ ...llama, model_type })).toMatchObject({
      code: 'MODEL_FAMILY_UNKNOWN',
      message: expect.stringContaining(model_type),
    });
  });

  it.each<[string, unknown]>([
    ['no object', 7],
    ['no family', {}],
    ['a missing size', { ...llama, hidden_size: undefined }],
    ['a size that is text', { ...llama, num_hidden_layers: '5' }],
    ['no layers', { ...llama, num_hidden_layers: 0 }],
    ['10^9 layers', { ...llama, num_hidden_layers: 1e9 }],
    ['half a head', { ...llama, num_attention_heads: 2.5 }],
    ['heads that do not divide the hidden size', { ...llama, num_attention_heads: 7, num_key_value_heads: 7 }],
    ['heads that do not share key-value heads', { ...llama, num_key_value_heads: 3 }],
    ['an odd head size under RoPE', { ...llama, head_dim: 7 }],
    ['an unknown activation', { ...llama, hidden_act: 'quick_gelu' }],
    ['an activation from the prototype', { ...llama, hidden_act: 'toString' }],
    ['a sliding window', { ...qwen2, use_sliding_window: true, sliding_window: 128, max_window_layers: 2 }],
    ['sliding layers', { ...qwen2, layer_types: ['full_attention', 'sliding_attention'] }],
    ['YaRN', { ...llama, rope_scaling: { type: 'yarn', factor: 4 } }],
    ['half of Llama 3’s scaling', { ...llama, rope_scaling: { rope_type: 'llama3', factor: 8 } }],
    ['a partial rotation', { ...llama, partial_rotary_factor: 0.5 }],
    ['an attention bias', { ...llama, attention_bias: true }],
    ['scaling by layer', { ...gpt2, scale_attn_by_inverse_layer_idx: true }],
    ['a mixture that always uses a sliding window', { ...mixtral, sliding_window: 128 }],
    ['a choice of more experts than there are', { ...mixtral, num_local_experts: 4, num_experts_per_tok: 5 }],
    ['10^9 experts', { ...mixtral, num_local_experts: 1e9 }],
    ['a quantised checkpoint', { ...llama, quantization_config: { quant_method: 'gptq' } }],
    ['an end token outside the vocabulary', { ...llama, eos_token_id: [2, 512] }],
    ['a negative token', { ...llama, bos_token_id: -1 }],
    ['an epsilon of 0', { ...llama, rms_norm_eps: 0 }],
  ])('refuses %s', (_, json) => {
    expect(thrown(json)).toMatchObject({ code: 'MODEL_CONFIG_INVALID' });
  });
});

describe('generation_config.json', () => {
  it('replaces the tokens it names, and only those', () => {
    const config = parseConfig({ ...llama, bos_token_id: 1 });
    expect(withGenerationConfig(config, { eos_token_id: [5, 2, 5] })).toEqual({ ...config, eosTokens: [5, 2] });
    expect(withGenerationConfig(config, { temperature: 0.7 })).toEqual(config);
    expect(() => withGenerationConfig(config, { eos_token_id: 512 })).toThrow('outside its vocabulary');
  });

  it('is read where there is one', async () => {
    const config = JSON.stringify(llama);
    const generation = JSON.stringify({ eos_token_id: [2, 3] });
    const files = { 'config.json': config, 'generation_config.json': generation };
    expect((await loadConfig(memorySource(files))).eosTokens).toEqual([2, 3]);
    expect((await loadConfig(memorySource({ 'config.json': config }))).eosTokens).toEqual([2]);
    await expect(loadConfig(memorySource({}))).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(loadConfig(memorySource({ 'config.json': '{' }))).rejects.toMatchObject({
      code: 'MODEL_CONFIG_INVALID',
    });
    const large = memorySource({ 'config.json': ' '.repeat(2 ** 20 + 1) });
    await expect(loadConfig(large)).rejects.toMatchObject({ code: 'MODEL_FILE_TOO_LARGE' });
  });
});
