import { describe, expect, test } from 'vitest';
import { parseConfig } from '../model/config.ts';
import { memorySource, safetensorsFile, type TestTensor } from '../model/testing.ts';
import type { WeightReader } from '../model/types.ts';
import { openWeights } from '../model/weights.ts';
import { materialise } from './materialise.ts';
import type { MatrixSource, WeightRecipe, WeightSpec } from './types.ts';

const config = parseConfig({
  model_type: 'llama',
  hidden_size: 4,
  intermediate_size: 4,
  num_hidden_layers: 1,
  num_attention_heads: 1,
  vocab_size: 4,
  max_position_embeddings: 8,
});

const tensor = (shape: number[], values: number[]): TestTensor => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(Float32Array.from(values).buffer),
});

const reader = (tensors: Record<string, TestTensor>): Promise<WeightReader> =>
  openWeights(memorySource({ 'model.safetensors': safetensorsFile(tensors) }));

const spec = (dtype: WeightSpec['dtype'], dims: number[], recipe: WeightRecipe): WeightSpec => {
  const byteLength = dims.reduce((product, size) => product * size, dtype === 'float32' ? 4 : 1);
  return { name: 'w', dtype, dims, byteLength, recipe };
};

const floats = (bytes: Uint8Array) => [...new Float32Array(bytes.slice().buffer)];

describe('materialise', () => {
  const weights = reader({
    a: tensor([2, 3], [1, 2, 3, 4, 5, 6]), // [out, in]
    b: tensor([1, 3], [7, 8, 9]),
    conv: tensor([3, 2], [1, 2, 3, 4, 5, 6]), // [in, out]
    zeros: tensor([1, 3], [0, 0, 0]),
  });
  const matrix: MatrixSource = { tensors: ['a', 'b'], layout: 'out-in', inSize: 3, outSizes: [2, 1] };
  const make = async (weight: WeightSpec) => materialise(weight, await weights, config);

  test('puts tensors side by side as [in, out]', async () => {
    expect(floats(await make(spec('float32', [3, 3], { kind: 'matrix', source: matrix })))).toEqual([
      ...[1, 4, 7],
      ...[2, 5, 8],
      ...[3, 6, 9],
    ]);
  });

  test('keeps what is stored [in, out] already', async () => {
    const source: MatrixSource = { tensors: ['conv'], layout: 'in-out', inSize: 3, outSizes: [2] };
    expect(floats(await make(spec('float32', [3, 2], { kind: 'matrix', source })))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('concatenates copies', async () => {
    expect(floats(await make(spec('float32', [9], { kind: 'copy', tensors: ['b', 'a'] })))).toEqual([
      ...[7, 8, 9],
      ...[1, 2, 3, 4, 5, 6],
    ]);
  });

  test('quantises to int8 with one scale for each output', async () => {
    const values = await make(spec('int8', [3, 3], { kind: 'int8', part: 'values', source: matrix }));
    const scales = floats(await make(spec('float32', [3], { kind: 'int8', part: 'scales', source: matrix })));
    expect(scales.map((scale) => Math.round(127 * scale))).toEqual([3, 6, 9]);
    expect([...new Int8Array(values.slice().buffer)]).toEqual([42, 85, 99, 85, 106, 113, 127, 127, 127]);
  });

  test('a column of zeros stays zero', async () => {
    const source: MatrixSource = { tensors: ['zeros'], layout: 'out-in', inSize: 3, outSizes: [1] };
    expect([...(await make(spec('int8', [3, 1], { kind: 'int8', part: 'values', source })))]).toEqual([0, 0, 0]);
    const nibbles = await make(spec('uint8', [1, 1, 16], { kind: 'int4', part: 'values', source }));
    expect([...nibbles]).toEqual(Array(16).fill(0x88));
  });

  test('quantises to 4 bits in blocks, the low nibble first, zero being 8', async () => {
    const source: MatrixSource = { tensors: ['a'], layout: 'out-in', inSize: 3, outSizes: [2] };
    const values = await make(spec('uint8', [2, 1, 16], { kind: 'int4', part: 'values', source }));
    const scales = floats(await make(spec('float32', [2], { kind: 'int4', part: 'scales', source })));
    expect(scales).toEqual([3 / -8, 6 / -8]);
    // 1, 2, 3 over −0.375 are −2.67, −5.33, −8; padding is zero.
    expect([...values.slice(0, 16)]).toEqual([0x35, 0x80, ...Array(14).fill(0x88)]);
  });

  test('a tensor of another shape is refused before it is read', async () => {
    const wrong: MatrixSource = { tensors: ['a'], layout: 'in-out', inSize: 3, outSizes: [2] };
    await expect(make(spec('float32', [3, 2], { kind: 'matrix', source: wrong }))).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringContaining('[2,3]'),
    });
    await expect(make(spec('float32', [5], { kind: 'copy', tensors: ['a'] }))).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
    });
  });

  test('a missing tensor is named', async () => {
    await expect(make(spec('float32', [3], { kind: 'copy', tensors: ['absent'] }))).rejects.toMatchObject({
      code: 'TENSOR_MISSING',
      message: expect.stringContaining('absent'),
    });
  });

  test('RoPE tables turn pair i by position · theta^(−2i/d)', async () => {
    const cos = floats(await make(spec('float32', [8, 2], { kind: 'rope', part: 'cos' })));
    expect(cos.slice(0, 2)).toEqual([1, 1]);
    expect(cos[2 * 5]).toBeCloseTo(Math.cos(5), 6);
    expect(cos[2 * 5 + 1]).toBeCloseTo(Math.cos(5 / 100), 6);
  });
});
