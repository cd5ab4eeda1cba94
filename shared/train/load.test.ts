import { expect, test } from 'vitest';
import { f32, memorySource, safetensorsFile } from '../model/testing.ts';
import { openWeights } from '../model/weights.ts';
import { loadWeights } from './load.ts';
import { parametersOf } from './model/model.ts';
import { PRESETS } from './presets.ts';
import { sizeOf } from './tape/tape.ts';

const config = { ...PRESETS['nano-char'], layers: 1, hiddenSize: 8, headDim: 2, intermediateSize: 8, vocabSize: 4 };

/** A model of ones, in the names that some checkpoints have; `spoil` may change the shape of one tensor. */
function weightsOf(spoil: (name: string, shape: number[]) => number[] = (_, shape) => shape) {
  const tensors = parametersOf(config).map(({ name, shape }) => {
    const values = f32(...new Float32Array(sizeOf(shape)).fill(1));
    return [name.replace('transformer.', ''), { ...values, shape: spoil(name, [...shape]) }];
  });
  return openWeights(memorySource({ 'model.safetensors': safetensorsFile(Object.fromEntries(tensors)) }));
}

test('weights are found under the names of any checkpoint', async () => {
  const store = await loadWeights(config, await weightsOf());
  expect([...(await store.read('transformer.ln_f.bias'))]).toEqual(Array(8).fill(1));
  await expect(store.read('transformer.h.1.ln_1.bias')).rejects.toThrow(/no tensor/);
});

test('weights of another shape are refused, even with as many values', async () => {
  const turned = weightsOf((name, shape) => (name.endsWith('wte.weight') ? shape.reverse() : shape));
  await expect(loadWeights(config, await turned)).rejects.toMatchObject({ code: 'TENSOR_INVALID' });
});
