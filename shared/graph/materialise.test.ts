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

const file = (byteLength: number, recipe: WeightRecipe): WeightSpec => ({
  name: 'w',
  byteLength,
  initializers: [],
  recipe,
});

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
    expect(floats(await make(file(36, { kind: 'matrix', source: matrix })))).toEqual([
      ...[1, 4, 7],
      ...[2, 5, 8],
      ...[3, 6, 9],
    ]);
  });

  test('keeps what is stored [in, out] already', async () => {
    const source: MatrixSource = { tensors: ['conv'], layout: 'in-out', inSize: 3, outSizes: [2] };
    expect(floats(await make(file(24, { kind: 'matrix', source })))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('concatenates copies', async () => {
    expect(floats(await make(file(36, { kind: 'copy', tensors: ['b', 'a'] })))).toEqual([
      ...[7, 8, 9],
      ...[1, 2, 3, 4, 5, 6],
    ]);
  });

  test('quantises to int8 with one scale for each output', async () => {
    const bytes = await make(file(12 + 9, { kind: 'int8', source: matrix }));
    const scales = floats(bytes.slice(0, 12));
    expect(scales.map((scale) => Math.round(127 * scale))).toEqual([3, 6, 9]);
    expect([...new Int8Array(bytes.slice(12).buffer)]).toEqual([42, 85, 99, 85, 106, 113, 127, 127, 127]);
  });

  test('what is zero stays zero', async () => {
    const source: MatrixSource = { tensors: ['zeros'], layout: 'out-in', inSize: 3, outSizes: [1] };
    expect([...(await make(file(4 + 3, { kind: 'int8', source })))]).toEqual(Array(7).fill(0));
    const int4 = await make(file(4 + 16, { kind: 'int4', source }));
    expect([...int4]).toEqual([0, 0, 0, 0, ...Array(16).fill(0x88)]);
  });

  test('quantises to 4 bits in blocks, the low nibble first, zero being 8', async () => {
    const source: MatrixSource = { tensors: ['a'], layout: 'out-in', inSize: 3, outSizes: [2] };
    const bytes = await make(file(8 + 32, { kind: 'int4', source }));
    expect(floats(bytes.slice(0, 8))).toEqual([3 / -8, 6 / -8]);
    // 1, 2, 3 over −0.375 are −2.67, −5.33, −8; padding is zero.
    expect([...bytes.slice(8, 24)]).toEqual([0x35, 0x80, ...Array(14).fill(0x88)]);
  });

  test('quantises to 8 bits in blocks, zero being 128', async () => {
    const source: MatrixSource = { tensors: ['a'], layout: 'out-in', inSize: 3, outSizes: [2] };
    const bytes = await make(file(8 + 64, { kind: 'int8Blocks', source }));
    expect(floats(bytes.slice(0, 8)).map((scale) => Math.round(127 * scale))).toEqual([3, 6]);
    expect([...bytes.slice(8, 40)]).toEqual([128 + 42, 128 + 85, 255, ...Array(29).fill(128)]);
  });

  test('a tensor of another shape is refused before it is read', async () => {
    const wrong: MatrixSource = { tensors: ['a'], layout: 'in-out', inSize: 3, outSizes: [2] };
    await expect(make(file(24, { kind: 'matrix', source: wrong }))).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
      message: expect.stringContaining('[2,3]'),
    });
    await expect(make(file(20, { kind: 'copy', tensors: ['a'] }))).rejects.toMatchObject({
      code: 'TENSOR_INVALID',
    });
  });

  test('a missing tensor is named', async () => {
    await expect(make(file(12, { kind: 'copy', tensors: ['absent'] }))).rejects.toMatchObject({
      code: 'TENSOR_MISSING',
      message: expect.stringContaining('absent'),
    });
  });

  test('RoPE tables turn pair i by position · theta^(−2i/d)', async () => {
    const tables = floats(await make(file(2 * 8 * 2 * 4, { kind: 'rope', positions: 8 })));
    expect(tables.slice(0, 2)).toEqual([1, 1]);
    expect(tables[2 * 5]).toBeCloseTo(Math.cos(5), 6);
    expect(tables[2 * 5 + 1]).toBeCloseTo(Math.cos(5 / 100), 6);
    expect(tables[16 + 2 * 5]).toBeCloseTo(Math.sin(5), 6);
  });
});
