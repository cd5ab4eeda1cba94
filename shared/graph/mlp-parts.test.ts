import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { loadChain } from '../generate/chain.ts';
import { loadConfig, parseConfig } from '../model/config.ts';
import { f32, memorySource, safetensorsFile } from '../model/testing.ts';
import { openWeights } from '../model/weights.ts';
import { materialise } from './materialise.ts';
import { maxMlpParts, slicesOf } from './mlp-parts.ts';
import { unitBytes } from './placement.ts';
import { buildStage } from './stage.ts';
import { QUANTS, type Quant } from './types.ts';
import { divided, unitCost, units } from './units.ts';

const sizes = {
  hidden_size: 64,
  intermediate_size: 176,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  vocab_size: 64,
  max_position_embeddings: 64,
};
const dense = parseConfig({ model_type: 'llama', ...sizes });
const mixture = parseConfig({ model_type: 'mixtral', ...sizes });
const columnsOf = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);

describe('slicesOf', () => {
  it.each([
    ['one MLP', dense],
    ['eight experts', mixture],
  ])('gives every column of %s to one part, and whole experts as long as there are enough', (_, config) => {
    const experts = config.experts?.count ?? 1;
    for (let of = 1; of <= maxMlpParts(config); of++) {
      const parts = columnsOf(0, of).map((start) => slicesOf(config, { start, end: start + 1, of }));
      const columns = parts.flat().flatMap(({ expert, start, end }) => columnsOf(start, end).map((c) => [expert, c]));
      expect(columns).toEqual(columnsOf(0, experts).flatMap((expert) => columnsOf(0, 176).map((c) => [expert, c])));
      const blocks = parts.map((part) => part.reduce((sum, { start, end }) => sum + Math.ceil((end - start) / 32), 0));
      expect(Math.max(...blocks) - Math.min(...blocks)).toBeLessThanOrEqual(of <= experts ? 6 : 1);
      expect(Math.min(...blocks)).toBeGreaterThan(0);
      if (of <= experts) expect(parts.flat().every(({ start, end }) => start === 0 && end === 176)).toBe(true);
    }
  });

  it('of several parts is what they have one by one', () => {
    const three = fc.tuple(fc.nat(), fc.nat(), fc.nat());
    fc.assert(
      fc.property(fc.constantFrom(dense, mixture), three, (config, [a, b, c]) => {
        const of = 1 + (c % maxMlpParts(config));
        const [start, end] = [Math.min(a % of, b % of), Math.max(a % of, b % of) + 1];
        const bytes = (from: number, to: number) =>
          slicesOf(config, { start: from, end: to, of }).flatMap(({ expert, start, end }) =>
            columnsOf(start, end).map((column) => `${expert}.${column}`),
          );
        expect(bytes(start, end)).toEqual(columnsOf(start, end).flatMap((part) => bytes(part, part + 1)));
      }),
    );
  });
});

describe('units', () => {
  it('are finer where MLPs are divided, and no others', () => {
    expect(units(mixture, 3)).toHaveLength(2 + 2 * 4);
    expect(units(mixture, 3)[3]).toEqual({ kind: 'mlp', layer: 0, parts: { start: 1, end: 2, of: 3 } });
    expect(divided({ start: 2, end: 4 }, 3)).toEqual({ start: 2, end: 6, mlpParts: 3 });
    expect(divided({ start: 0, end: 6 }, 3)).toEqual({ start: 0, end: 10, mlpParts: 3 });
    for (const mlpParts of [0, -1, 1.5, Number.NaN, 7]) {
      expect(() => units(dense, mlpParts)).toThrow(expect.objectContaining({ code: 'MLP_PARTS_INVALID' }));
    }
    const options = { quant: 'f32', contextLength: 8 } as const;
    expect(() => buildStage(dense, { start: 0, end: 11, mlpParts: 3 }, options)).toThrow(
      expect.objectContaining({ code: 'STAGE_RANGE_INVALID' }),
    );
  });

  it('of a mixture cost what its router chooses, and the router', () => {
    const mlp = { kind: 'mlp', layer: 0 } as const;
    expect(unitCost(mixture, mlp)).toBe(2 * 64 * 8 + 2 * (2 * 3 * 64 * 176));
    expect(unitCost(mixture, { ...mlp, parts: { start: 0, end: 1, of: 4 } })).toBe(2 * 64 * 8 + (2 * 3 * 64 * 176) / 2);
  });
});

describe('a stage that ends or begins within an MLP', () => {
  const stage = (start: number, end: number) =>
    buildStage(mixture, { start, end, mlpParts: 3 }, { quant: 'f32', contextLength: 8 });
  it('gives, or takes, the sum so far beside the residual stream', () => {
    const widths = (start: number, end: number) => [stage(start, end).inWidth, stage(start, end).outWidth];
    expect(widths(0, 2)).toEqual([64, 64]);
    expect(widths(1, 3)).toEqual([64, 128]);
    expect(widths(3, 4)).toEqual([128, 128]);
    expect(widths(4, 7)).toEqual([128, 128]);
    expect(widths(4, 6)).toEqual([128, 64]);
    expect(widths(2, 5)).toEqual([64, 64]);
    expect(stage(3, 4).memory.journalBytes).toBe(8 * 128 * 4);
  });

  it('that has all parts of an MLP has it in one piece', () => {
    const whole = buildStage(mixture, { start: 2, end: 3 }, { quant: 'f32', contextLength: 8 });
    expect(stage(2, 5).onnx).toEqual(whole.onnx);
  });
});

it('reads of the model what its columns need', async () => {
  const matrix = (name: string, rows: number, columns: number) =>
    [name, { dtype: 'F32', shape: [rows, columns], bytes: new Uint8Array(4 * rows * columns) }] as const;
  const from = 'model.layers.0.block_sparse_moe';
  const experts = columnsOf(0, 8).flatMap((e) => [
    matrix(`${from}.experts.${e}.w1.weight`, 176, 64),
    matrix(`${from}.experts.${e}.w2.weight`, 64, 176),
    matrix(`${from}.experts.${e}.w3.weight`, 176, 64),
  ]);
  const norm = ['model.layers.0.post_attention_layernorm.weight', f32(...new Array(64).fill(1))] as const;
  const file = safetensorsFile(Object.fromEntries([norm, matrix(`${from}.gate.weight`, 8, 64), ...experts]));
  const source = memorySource({ 'model.safetensors': file });
  const weights = await openWeights(source);
  const bytesRead = async (start: number, of: number) => {
    source.reads.length = 0;
    const range = { start: 2 + start, end: 3 + start, mlpParts: of };
    const graph = buildStage(mixture, range, { quant: 'int8', contextLength: 8 });
    for (const weight of graph.weights) await materialise(weight, weights, mixture);
    const ranges = source.reads.map((read) => read.split(' ')[1]!.split('-').map(Number) as [number, number]);
    return ranges.reduce((sum, [from, to]) => sum + to - from, 0);
  };
  const shared = 4 * (64 + 8 * 64);
  expect(await bytesRead(1, 4)).toBe(shared + 4 * 2 * 3 * 64 * 176);
  // Half an expert: its columns of w1 and w3 are rows of the file, those of w2 lie in every row.
  expect(await bytesRead(0, 16)).toBe(shared + 4 * 64 * (2 * 96 + 176));
});

/** Bytes of a weight matrix [in, out] as the engine holds it. */
const matrixBytes = (quant: Quant, inSize: number, outSize: number): number =>
  ({
    f32: 4 * inSize * outSize,
    int8: inSize * outSize + 4 * outSize,
    // Matrices as small as these have 8 bits.
    int4: Math.ceil(inSize / 32) * outSize * (32 + 4),
  })[quant];

describe('memory', () => {
  it.each(QUANTS)('of a part is that of its columns, the norm and the router (%s)', (quant) => {
    const columns = (count: number) => 2 * matrixBytes(quant, 64, count) + matrixBytes(quant, count, 64);
    const part = (start: number, of: number) => ({ start, end: start + 1, of });
    const bytes = (config: typeof dense, start: number, of: number) =>
      unitBytes(config, { kind: 'mlp', layer: 1, parts: part(start, of) }, quant);
    expect(bytes(dense, 0, 3)).toBe(columns(64) + 4 * 64);
    expect(bytes(dense, 2, 3)).toBe(columns(48) + 4 * 64);
    expect(bytes(mixture, 1, 4)).toBe(2 * columns(176) + 4 * 64 + 4 * 64 * 8);
    expect(bytes(mixture, 0, 16)).toBe(columns(96) + 4 * 64 + 4 * 64 * 8);
  });
});

describe.each(['gpt2-f16', 'llama3-rope', 'qwen2-untied', 'mixtral'])('%s', (name) => {
  const source = folderSource(fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url)));
  const runtime = createNodeRuntime({ budgetBytes: 64 * 2 ** 20, threads: 1 });
  afterAll(() => runtime.close());

  /** Logits after a prompt of 20 tokens and each of 12 further ones. */
  async function logits(stages: number, quant: Quant): Promise<Float32Array[]> {
    const [config, weights] = [await loadConfig(source), await openWeights(source)];
    const chain = await loadChain({ config, weights, runtime, stages, quant, contextLength: 32 }, undefined);
    const rows: Float32Array[] = [];
    const ids = Int32Array.from({ length: 32 }, (_, i) => (7 * i) % config.vocabSize);
    rows.push((await chain.run(0, ids.subarray(0, 20))).slice());
    for (let position = 20; position < 32; position++) {
      rows.push((await chain.run(position, ids.subarray(position, position + 1))).slice());
    }
    await chain.release();
    return rows;
  }

  const greedy = (row: Float32Array) => row.indexOf(Math.max(...row));
  const difference = (a: Float32Array[], b: Float32Array[]) =>
    Math.max(...a.flatMap((row, i) => [...row].map((logit, id) => Math.abs(logit - b[i]![id]!))));

  // 8 stages halve each MLP, 12 quarter a mixture, 22 cut its experts.
  const COUNTS = name === 'mixtral' ? [8, 12, 22] : [8];
  // What int8 rounds depends on which columns go together.
  it.each([
    ['f32', 1e-5],
    ['int4', 1e-5],
    ['int8', 0.5],
  ] as const)('in parts is what it is as a whole (%s)', async (quant, bound) => {
    const whole = await logits(1, quant);
    for (const stages of COUNTS) {
      const parts = await logits(stages, quant);
      expect(difference(parts, whole)).toBeLessThan(bound);
      if (quant !== 'int8') expect(parts.map(greedy)).toEqual(whole.map(greedy));
    }
  });
});
