import { expect, test } from 'vitest';
import { ort } from '../../server/runtime/onnxruntime.ts';
import { parseConfig } from '../model/config.ts';
import { memorySource, safetensorsFile, type TestTensor } from '../model/testing.ts';
import { openWeights } from '../model/weights.ts';
import { createSession } from '../runtime/ort.ts';
import { memoryStaging } from '../runtime/staging.ts';
import { seededRandom } from '../sampler/random.ts';
import { GraphBuilder } from './builder.ts';
import { INT4_MIN_INPUTS, MAX_MATRIX_BYTES } from './limits.ts';
import { linear } from './linear.ts';
import { materialise } from './materialise.ts';
import { encodeOnnx } from './onnx.ts';

const [OUT, ROWS] = [24, 3];
const random = seededRandom(7);
const numbers = (count: number) => Float32Array.from({ length: count }, () => random() / 2 ** 31 - 1);
const tensor = (shape: number[], data: Float32Array): TestTensor => ({
  dtype: 'F32',
  shape,
  bytes: new Uint8Array(data.buffer),
});
const config = parseConfig({
  model_type: 'gpt2',
  n_embd: 8,
  n_layer: 1,
  n_head: 1,
  vocab_size: 8,
  n_positions: 8,
});

/**
 * Inputs, which are no multiples of a block of 32, and the error of a product relative to its size (root mean square):
 * none, 8 bits of 127 steps, 4 bits of 8 steps.
 */
const PRODUCTS = [
  ['f32', 80, 1e-6],
  ['int8', 80, 0.02],
  ['int4', 80, 0.01],
  ['int4', INT4_MIN_INPUTS + 16, 0.15],
] as const;

test.each([
  ['stored [out, in]', 'out-in'],
  ['stored [in, out]', 'in-out'],
] as const)('a matrix that is too large for one piece, %s, gives the same in blocks', async (_, layout) => {
  const [inSize, outSize] = [1536, Math.ceil(MAX_MATRIX_BYTES / 4 / 1536) + 3];
  const [w, b, x] = [numbers(outSize * inSize), numbers(outSize), numbers(inSize)];
  const stored = layout === 'out-in' ? [outSize, inSize] : [inSize, outSize];
  const weights = await openWeights(
    memorySource({ 'model.safetensors': safetensorsFile({ w: tensor(stored, w), b: tensor([outSize], b) }) }),
  );
  const g = new GraphBuilder({ quant: 'f32', contextLength: 1 });
  const source = { tensors: ['w'], layout, inSize, outSizes: [outSize] };
  const input = g.input('x', 'float32', [1, 'rows', inSize]);
  g.output(linear(g, input, { name: 'w', source, bias: ['b'] }), 'y', [1, 'rows', outSize]);
  expect(Math.max(...g.graph.weights.map(({ byteLength }) => byteLength))).toBeLessThanOrEqual(MAX_MATRIX_BYTES);
  const files = memoryStaging();
  for (const weight of g.graph.weights) await files.put(weight.name, await materialise(weight, weights, config));
  const session = await createSession(ort, encodeOnnx(g.graph), files, {});
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [1, 1, inSize]) });
  await session.release();
  for (let out = 0; out < outSize; out += 97) {
    let expected = b[out]!;
    for (let i = 0; i < inSize; i++) expected += x[i]! * w[layout === 'out-in' ? out * inSize + i : i * outSize + out]!;
    expect((y!.data as Float32Array)[out], `output ${out}`).toBeCloseTo(expected, 3);
  }
});

test.each(PRODUCTS)('x · Wᵀ + b comes out of the engine as computed here: %s, %i inputs', async (quant, IN, bound) => {
  const [w, b, x] = [numbers(OUT * IN), numbers(OUT), numbers(ROWS * IN)];
  const weights = await openWeights(
    memorySource({ 'model.safetensors': safetensorsFile({ w: tensor([OUT, IN], w), b: tensor([OUT], b) }) }),
  );
  const g = new GraphBuilder({ quant, contextLength: 1 });
  const input = g.input('x', 'float32', [1, 'rows', IN]);
  const source = { tensors: ['w'], layout: 'out-in' as const, inSize: IN, outSizes: [OUT] };
  g.output(linear(g, input, { name: 'w', source, bias: ['b'] }), 'y', [1, 'rows', OUT]);
  const files = memoryStaging();
  for (const weight of g.graph.weights) await files.put(weight.name, await materialise(weight, weights, config));
  const session = await createSession(ort, encodeOnnx(g.graph), files, {});
  const { y } = await session.run({ x: new ort.Tensor('float32', x, [1, ROWS, IN]) });
  const got = y!.data as Float32Array;
  await session.release();

  let [errors, sizes] = [0, 0];
  for (let row = 0; row < ROWS; row++) {
    for (let out = 0; out < OUT; out++) {
      let expected = b[out]!;
      for (let i = 0; i < IN; i++) expected += x[row * IN + i]! * w[out * IN + i]!;
      errors += (got[row * OUT + out]! - expected) ** 2;
      sizes += expected ** 2;
    }
  }
  expect(Math.sqrt(errors / sizes)).toBeLessThan(bound);
});
