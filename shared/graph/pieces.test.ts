import { describe, expect, it } from 'vitest';
import { parseConfig } from '../model/config.ts';
import { memorySource, safetensorsFile } from '../model/testing.ts';
import { openWeights } from '../model/weights.ts';
import { seededRandom } from '../sampler/random.ts';
import { INT4_BLOCK, STRIP_VALUES } from './limits.ts';
import { materialise } from './materialise.ts';
import { pieces } from './pieces.ts';
import type { MatrixSource, WeightRecipe } from './types.ts';

const [ROWS, WIDTH] = [300, 8192];
const random = seededRandom(1);
const values = Float32Array.from({ length: ROWS * WIDTH }, () => random() / 2 ** 31 - 1);
const shape = [ROWS, WIDTH];
const source = memorySource({
  'model.safetensors': safetensorsFile({ w: { dtype: 'F32', shape, bytes: new Uint8Array(values.buffer) } }),
});
const weights = await openWeights(source);
const config = parseConfig({
  ...{ model_type: 'gpt2', n_embd: 4, n_layer: 1, n_head: 1, n_positions: 8, vocab_size: 4 },
});

const outIn: MatrixSource = { tensors: ['w'], layout: 'out-in', inSize: WIDTH, outSizes: [ROWS] };
const inOut: MatrixSource = { tensors: ['w'], layout: 'in-out', inSize: ROWS, outSizes: [WIDTH] };

const sources: [string, MatrixSource][] = [
  ['out-in', outIn],
  ['in-out', inOut],
  ['some outputs of out-in', { ...outIn, outSizes: [160], part: { axis: 'out', start: 100, of: ROWS } }],
  ['some inputs of out-in', { ...outIn, inSize: 96, part: { axis: 'in', start: 64, of: WIDTH } }],
  ['some outputs of in-out', { ...inOut, outSizes: [50], part: { axis: 'out', start: 7, of: WIDTH } }],
  ['some inputs of in-out', { ...inOut, inSize: 160, part: { axis: 'in', start: 32, of: ROWS } }],
];

/** The weight at (in, out), read where it is stored. */
function at({ layout, part }: MatrixSource, input: number, output: number): number {
  const [i, o] = [input + (part?.axis === 'in' ? part.start : 0), output + (part?.axis === 'out' ? part.start : 0)];
  return layout === 'out-in' ? values[o * WIDTH + i]! : values[i * WIDTH + o]!;
}

const make = (byteLength: number, recipe: WeightRecipe) =>
  materialise({ name: 'w', byteLength, initializers: [], recipe }, weights, config);

describe.each(sources)('a matrix in several strips, %s', (_, matrix) => {
  const [inSize, outSize] = [matrix.inSize, matrix.outSizes[0]!];
  const everyOutput = [...Array(outSize).keys()].filter((out) => out % 7 === 0 || out === outSize - 1);
  const inputs = [...Array(inSize).keys()];

  it('is put together as float32', async () => {
    const made = new Float32Array((await make(4 * inSize * outSize, { kind: 'matrix', source: matrix })).buffer);
    for (const out of everyOutput) {
      for (const input of inputs) if (made[input * outSize + out] !== at(matrix, input, out)) expect.fail(`${out}`);
    }
  });

  it('is quantised to int8 by the largest weight of each output', async () => {
    const bytes = await make(4 * outSize + inSize * outSize, { kind: 'int8', source: matrix });
    const scales = new Float32Array(bytes.buffer, 0, outSize);
    const made = new Int8Array(bytes.buffer, 4 * outSize);
    for (const out of everyOutput) {
      const column = inputs.map((input) => at(matrix, input, out));
      expect(scales[out]).toBe(Math.fround(column.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127));
      for (const [input, value] of column.entries()) {
        if (made[input * outSize + out] !== Math.round(value / scales[out]!)) expect.fail(`${input}, ${out}`);
      }
    }
  });

  it('is quantised to int4 block by block', async () => {
    const blocks = Math.ceil(inSize / INT4_BLOCK);
    const bytes = await make(outSize * blocks * (4 + INT4_BLOCK / 2), { kind: 'int4', source: matrix });
    const scales = new Float32Array(bytes.buffer, 0, outSize * blocks);
    const nibbles = new Uint8Array(bytes.buffer, scales.byteLength);
    for (const out of everyOutput) {
      for (const input of inputs) {
        const place = (out * blocks * INT4_BLOCK + input) >> 1;
        const nibble = (nibbles[place]! >> (input % 2 === 0 ? 0 : 4)) & 15;
        const scale = scales[out * blocks + Math.floor(input / INT4_BLOCK)]!;
        // The value opposite to the largest has no nibble of its own: 8 · scale becomes 7 · scale.
        const error = Math.abs((nibble - 8) * scale - at(matrix, input, out));
        if (error > Math.abs(scale) * 1.001) expect.fail(`${input}, ${out}`);
      }
    }
  });

  it('is never read as a whole', async () => {
    source.reads.length = 0;
    for await (const { data } of pieces(matrix, weights)) expect(data.length).toBeLessThanOrEqual(STRIP_VALUES);
    for (const read of source.reads) {
      const [start, end] = read.split(' ')[1]!.split('-').map(Number) as [number, number];
      expect(end - start).toBeLessThanOrEqual(4 * STRIP_VALUES);
    }
  });
});

it('is quantised to int8 row by row, as it is stored', async () => {
  const bytes = await make(4 * ROWS + ROWS * WIDTH, { kind: 'rows', tensor: 'w', rows: ROWS, width: WIDTH });
  const scales = new Float32Array(bytes.buffer, 0, ROWS);
  const made = new Int8Array(bytes.buffer, 4 * ROWS);
  for (let row = 0; row < ROWS; row += 7) {
    const stored = values.subarray(row * WIDTH, (row + 1) * WIDTH);
    expect(scales[row]).toBe(Math.fround(stored.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127));
    for (const [i, value] of stored.entries()) {
      if (made[row * WIDTH + i] !== Math.round(value / scales[row]!)) expect.fail(`${row}, ${i}`);
    }
  }
});

it('says what went wrong while a strip was worked on', async () => {
  const failing = { ...weights, readFloat32Rows: weights.readFloat32Rows };
  let reads = 0;
  failing.readFloat32Rows = (...args) =>
    ++reads === 2 ? Promise.reject(new Error('gone')) : weights.readFloat32Rows(...args);
  const reading = (async () => {
    for await (const _ of pieces(outIn, failing)) await new Promise((resolve) => setTimeout(resolve, 5));
  })();
  await expect(reading).rejects.toThrow('gone');
});
