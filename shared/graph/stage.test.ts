import { fromBinary } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../model/config.ts';
import { ModelProtoSchema } from './onnx_pb.ts';
import { stageMemory, unitBytes } from './placement.ts';
import { buildStage } from './stage.ts';
import { QUANTS, type UnitRange } from './types.ts';
import { unitCost, units } from './units.ts';

const llama = parseConfig({
  model_type: 'llama',
  hidden_size: 64,
  intermediate_size: 172,
  num_hidden_layers: 5,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 512,
  max_position_embeddings: 512,
  tie_word_embeddings: true,
});
const gpt2 = parseConfig({
  model_type: 'gpt2',
  n_embd: 96,
  n_layer: 2,
  n_head: 12,
  vocab_size: 64,
  n_positions: 64,
});
const options = { quant: 'f32' as const, contextLength: 32 };
const namesOf = (range: UnitRange) => {
  const { graph } = fromBinary(ModelProtoSchema, buildStage(llama, range, options).onnx);
  return { inputs: graph!.input.map(({ name }) => name), outputs: graph!.output.map(({ name }) => name) };
};

describe('units', () => {
  test('stand in the order of execution, two for each layer', () => {
    expect(units(gpt2).map((unit) => ('layer' in unit ? `${unit.kind} ${unit.layer}` : unit.kind))).toEqual([
      'embedding',
      'attention 0',
      'mlp 0',
      'attention 1',
      'mlp 1',
      'head',
    ]);
  });

  test('cost two FLOPs for each weight of their matrices', () => {
    const [, attention, mlp] = units(llama);
    expect(unitCost(llama, attention!)).toBe(2 * (64 * 64 + 2 * 32 * 64 + 64 * 64));
    expect(unitCost(llama, mlp!)).toBe(2 * 3 * 64 * 172);
    expect(unitCost(llama, { kind: 'head' })).toBe(2 * 64 * 512);
    expect(unitCost(gpt2, { kind: 'mlp', layer: 0 })).toBe(2 * 2 * 96 * 384);
  });
});

describe('a stage', () => {
  test('takes and gives what its place in the model demands', () => {
    expect(namesOf({ start: 0, end: 1 })).toEqual({ inputs: ['tokens'], outputs: ['hidden_out'] });
    expect(namesOf({ start: 2, end: 3 })).toEqual({ inputs: ['hidden'], outputs: ['hidden_out'] });
    expect(namesOf({ start: 10, end: 12 })).toEqual({ inputs: ['hidden', 'logit_rows'], outputs: ['logits'] });
    const { inputs, outputs } = namesOf({ start: 1, end: 2 });
    expect(inputs).toContain('past.0.key');
    expect(outputs).toEqual(['present.0.key', 'present.0.value', 'hidden_out']);
    const graph = buildStage(llama, { start: 3, end: 12 }, options);
    expect(graph).toMatchObject({ takes: 'hidden', gives: 'logits', inWidth: 64, vocabSize: 512 });
    expect(graph.caches.map(({ layer }) => layer)).toEqual([1, 2, 3, 4]);
  });

  test.each(QUANTS)('has no weights inside (%s)', (quant) => {
    const { onnx, weights } = buildStage(llama, { start: 0, end: 12 }, { quant, contextLength: 512 });
    expect(onnx.length).toBeLessThan(35_000);
    const { graph } = fromBinary(ModelProtoSchema, onnx);
    const external = graph!.initializer.filter(({ dataLocation }) => dataLocation === 1);
    expect(external.map(({ name }) => name)).toEqual(weights.flatMap((w) => w.initializers.map(({ name }) => name)));
    expect(external.every(({ rawData }) => rawData.length === 0)).toBe(true);
  });

  test.each([
    [{ start: 0, end: 13 }],
    [{ start: 3, end: 3 }],
    [{ start: 5, end: 2 }],
    [{ start: -1, end: 2 }],
    [{ start: 0.5, end: 2 }],
    [{ start: Number.NaN, end: 2 }],
  ])('that is not a part of the model is refused: %o', (range) => {
    expect(() => buildStage(llama, range, options)).toThrow(expect.objectContaining({ code: 'STAGE_RANGE_INVALID' }));
    expect(() => stageMemory(llama, range, 'f32', 32)).toThrow(
      expect.objectContaining({ code: 'STAGE_RANGE_INVALID' }),
    );
  });

  test.each([0, -1, 1.5, 513])('cannot have a context of %d tokens', (contextLength) => {
    expect(() => buildStage(llama, { start: 0, end: 1 }, { quant: 'f32', contextLength })).toThrow(
      expect.objectContaining({ code: 'CONTEXT_LENGTH_INVALID' }),
    );
  });
});

describe('memory', () => {
  test('is known without building, and is that of the graph', () => {
    for (const config of [llama, gpt2]) {
      for (const quant of QUANTS) {
        const range = { start: 0, end: units(config).length };
        const graph = buildStage(config, range, { quant, contextLength: 32 });
        expect(stageMemory(config, range, quant, 32)).toEqual(graph.memory);
        expect(graph.memory.weightBytes).toBe(graph.weights.reduce((sum, { byteLength }) => sum + byteLength, 0));
        const ofUnits = units(config).reduce((sum, unit) => sum + unitBytes(config, unit, quant), 0);
        const ropeTables = config.rope ? 2 * 32 * (config.headDim / 2) * 4 : 0;
        // A tied head that shares its stage with the embedding still has its own, transposed copy.
        expect(graph.memory.weightBytes).toBe(ofUnits + ropeTables);
      }
    }
  });

  test('of a KV cache is two values for each head dimension and position', () => {
    expect(stageMemory(llama, { start: 1, end: 4 }, 'f32', 100).cacheBytes).toBe(2 * 2 * 4 * 8 * 100 * 4);
  });

  test('of a journal is the rows of a whole context as they go over the wire; the last stage has none', () => {
    const middle = { start: 1, end: 4 };
    expect(stageMemory(llama, middle, 'f32', 100).journalBytes).toBe(100 * llama.hiddenSize * 4);
    expect(stageMemory(llama, middle, 'int8', 100).journalBytes).toBe(100 * llama.hiddenSize * 2);
    expect(stageMemory(llama, { start: 1, end: units(llama).length }, 'f32', 100).journalBytes).toBe(0);
  });

  test('of the weights of a real model is right: GPT-2 has 124,439,808 parameters', () => {
    const real = { n_embd: 768, n_layer: 12, n_head: 12, vocab_size: 50257, n_positions: 1024 };
    const config = parseConfig({ model_type: 'gpt2', ...real });
    const bytes = units(config).reduce((sum, unit) => sum + unitBytes(config, unit, 'f32'), 0);
    expect(bytes).toBe(4 * (124_439_808 + 50257 * 768));
  });
});
