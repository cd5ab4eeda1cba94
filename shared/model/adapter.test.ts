import { describe, expect, test } from 'vitest';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE, openAdapted } from './adapter.ts';
import { parseConfig } from './config.ts';
import { memorySource, safetensorsFile, type TestTensor } from './testing.ts';

const SIZES = { num_hidden_layers: 1, num_attention_heads: 1, vocab_size: 4, max_position_embeddings: 8 };
const LLAMA = parseConfig({ model_type: 'llama', hidden_size: 3, intermediate_size: 2, ...SIZES, head_dim: 2 });
const GPT2 = parseConfig({
  model_type: 'gpt2',
  n_embd: 2,
  n_layer: 1,
  n_head: 1,
  n_inner: 3,
  n_positions: 8,
  vocab_size: 4,
});
const UP = 'model.layers.0.mlp.up_proj';
const FC = 'transformer.h.0.mlp.c_fc';

function matrix(rows: number, values: number[]): TestTensor {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { dtype: 'F32', shape: [rows, values.length / rows], bytes };
}

function adapterOf(tensors: Record<string, TestTensor>, config: object = {}) {
  const json = JSON.stringify({ peft_type: 'LORA', r: 1, lora_alpha: 2, ...config });
  return memorySource({
    [ADAPTER_CONFIG_FILE]: new TextEncoder().encode(json),
    [ADAPTER_WEIGHTS_FILE]: safetensorsFile(tensors),
  });
}

const layer = (name: string, a: TestTensor, b: TestTensor) => ({
  [`base_model.model.${name}.lora_A.weight`]: a,
  [`base_model.model.${name}.lora_B.weight`]: b,
});
const base = memorySource({
  'model.safetensors': safetensorsFile({
    [`${UP}.weight`]: matrix(2, [1, 2, 3, 4, 5, 6]),
    [`${FC}.weight`]: matrix(2, [1, 2, 3, 4, 5, 6]),
    'model.norm.weight': matrix(1, [7, 8, 9]),
  }),
});

describe('a model with an adapter', () => {
  test('has alpha / rank · B·A in a matrix stored [out, in], whole and in rows', async () => {
    const adapter = adapterOf(layer(UP, matrix(1, [1, 0, -1]), matrix(2, [10, 20])));
    const weights = await openAdapted(base, adapter, LLAMA);
    const merged = Float32Array.of(21, 2, -17, 44, 5, -34);
    expect(await weights.readFloat32(`${UP}.weight`)).toEqual(merged);
    expect(await weights.readFloat32Rows(`${UP}.weight`, 1, 2)).toEqual(merged.slice(3));
    expect(await weights.readFloat32('model.norm.weight')).toEqual(Float32Array.of(7, 8, 9));
  });

  test('has its transpose in one stored [in, out]', async () => {
    const adapter = adapterOf(layer(FC, matrix(1, [1, -1]), matrix(3, [10, 20, 30])));
    const weights = await openAdapted(base, adapter, GPT2);
    const merged = Float32Array.of(21, 42, 63, -16, -35, -54);
    expect(await weights.readFloat32(`${FC}.weight`)).toEqual(merged);
    expect(await weights.readFloat32Rows(`${FC}.weight`, 1, 2)).toEqual(merged.slice(3));
  });

  test('is the base where there is no adapter', async () => {
    const weights = await openAdapted(base, undefined, LLAMA);
    expect(await weights.readFloat32(`${UP}.weight`)).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
  });

  const good = layer(UP, matrix(1, [1, 0, -1]), matrix(2, [10, 20]));
  test.each([
    ['of another kind', adapterOf(good, { peft_type: 'IA3' })],
    ['that computes otherwise', adapterOf(good, { use_dora: true })],
    ['with ranks of its own', adapterOf(good, { rank_pattern: { up_proj: 4 } })],
    ['with a huge rank', adapterOf(good, { r: 5000 })],
    ['with other tensors', adapterOf({ ...good, 'base_model.model.lm_head.weight': matrix(1, [1]) })],
    ['of layers that the model lacks', adapterOf(layer('model.layers.9.mlp.up_proj', matrix(1, [1]), matrix(1, [1])))],
    ['of other shapes', adapterOf(layer(UP, matrix(1, [1, 0]), matrix(2, [10, 20])))],
    ['of another rank than it says', adapterOf(good, { r: 2 })],
  ])('refuses an adapter %s', async (_, adapter) => {
    await expect(openAdapted(base, adapter, LLAMA)).rejects.toMatchObject({ code: 'ADAPTER_INVALID' });
  });
});
