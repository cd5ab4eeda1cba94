import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { slicesOf } from '../graph/mlp-parts.ts';
import type { MlpParts, Unit, UnitRange } from '../graph/types.ts';
import { unitRun, units } from '../graph/units.ts';
import { parseConfig } from '../model/config.ts';
import type { ModelConfig } from '../model/types.ts';
import { seededRandom } from '../sampler/random.ts';
import { partsForStages, splitModel } from './division.ts';
import { modelPlanner } from './model-plan.ts';

const sizes = {
  hidden_size: 64,
  intermediate_size: 160,
  num_hidden_layers: 3,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  vocab_size: 64,
  max_position_embeddings: 512,
};
const llama = parseConfig({ model_type: 'llama', ...sizes, intermediate_size: 512 });
const mixtral = parseConfig({ model_type: 'mixtral', ...sizes });
const options = { quant: 'int8' as const, contextLength: 32, maxSequences: 2 };
const GIB = 2 ** 30;

const uniform = (seed: number) => {
  const next = seededRandom(seed);
  return () => next() / 2 ** 32;
};

/** What of the model these ranges compute, piece by piece and in order. */
function pieces(config: ModelConfig, ranges: UnitRange[]): string[] {
  const nameOf = (unit: Unit): string[] => {
    if (unit.kind !== 'mlp') return ['layer' in unit ? `${unit.kind} ${unit.layer}` : unit.kind];
    const parts: MlpParts = unit.parts ?? { start: 0, end: 1, of: 1 };
    const columns = slicesOf(config, parts).flatMap(({ expert, start, end }) =>
      Array.from({ length: Math.ceil((end - start) / 32) }, (_, i) => `${expert}.${start + 32 * i}`),
    );
    return columns.map((column) => `mlp ${unit.layer} ${column}`);
  };
  return ranges.flatMap((range) => unitRun(config, range).flatMap(nameOf));
}

describe('modelPlanner', () => {
  it.each([
    ['llama', llama],
    ['mixtral', mixtral],
  ])('places every column of every expert once, in order and within budgets (%s)', (_, config) => {
    const planner = modelPlanner(config, options);
    const all = { start: 0, end: units(config).length };
    const needed = planner.memoryBytes(all);
    const nodes = fc.array(
      fc.record({
        speed: fc.integer({ min: 1, max: 9 }),
        budgetBytes: fc.integer({ min: Math.floor(needed / 4), max: needed }),
      }),
      { minLength: 1, maxLength: 30, size: 'max' },
    );
    const count = fc.option(fc.integer({ min: 1, max: 20 }), { nil: undefined });
    let [plain, divided] = [0, 0];
    fc.assert(
      fc.property(nodes, count, fc.nat(all.end - 1), fc.nat(), (nodes, stages, start, seed) => {
        const named = nodes.map((node, i) => ({ id: `n${i}`, ...node }));
        const range = { start, end: all.end };
        const planned = planner.plan({ range, nodes: named, stages, random: uniform(seed) });
        if (!planned) return;
        if (stages !== undefined) expect(planned).toHaveLength(stages);
        expect(new Set(planned.map(({ node }) => node)).size).toBe(planned.length);
        const ranges = planned.map((stage) => stage.range);
        expect(pieces(config, ranges)).toEqual(pieces(config, [range]));
        for (const stage of planned) {
          const { budgetBytes } = named.find(({ id }) => id === stage.node)!;
          expect(planner.memoryBytes(stage.range)).toBeLessThanOrEqual(budgetBytes);
        }
        if (ranges[0]!.mlpParts === undefined) plain++;
        else divided++;
      }),
      { numRuns: 400 },
    );
    expect(plain).toBeGreaterThan(10);
    expect(divided).toBeGreaterThan(10);
  });

  it('keeps half-layers whole while they are enough, then divides as little as will do', () => {
    const planner = modelPlanner(mixtral, options);
    const range = { start: 0, end: units(mixtral).length };
    const nodes = Array.from({ length: 40 }, (_, i) => ({ id: `n${i}`, speed: 1, budgetBytes: GIB }));
    const partsOf = (stages: number) => planner.plan({ range, nodes, stages, random: uniform(1) })![0]!.range.mlpParts;
    expect([1, 7, 8].map(partsOf)).toEqual([undefined, undefined, undefined]);
    expect([9, 11, 12, 14, 29, 30, 40].map(partsOf)).toEqual([2, 2, 3, 3, 8, 9, 12]);
  });

  it('divides an MLP that no node can hold, and nothing where the embedding is too large', () => {
    const planner = modelPlanner(mixtral, options);
    const range = { start: 0, end: units(mixtral).length };
    const mlp = planner.memoryBytes({ start: 2, end: 3 });
    const planOn = (budgetBytes: number) => {
      const nodes = Array.from({ length: 60 }, (_, i) => ({ id: `n${i}`, speed: 1, budgetBytes }));
      return planner.plan({ range, nodes, random: uniform(1) });
    };
    expect(planOn(2 * mlp)![0]!.range.mlpParts).toBeUndefined();
    expect(planOn(0.9 * mlp)![0]!.range.mlpParts).toBe(2);
    expect(planOn(planner.memoryBytes({ start: 0, end: 1 }) - 1)).toBeUndefined();
  });
});

describe('the catalogue’s promises', () => {
  const giants = {
    'Llama-3.1-405B': parseConfig({
      model_type: 'llama',
      hidden_size: 16_384,
      intermediate_size: 53_248,
      num_hidden_layers: 126,
      num_attention_heads: 128,
      num_key_value_heads: 8,
      vocab_size: 128_256,
      max_position_embeddings: 131_072,
    }),
    'mixtral-602B': parseConfig({
      model_type: 'mixtral',
      hidden_size: 8192,
      intermediate_size: 28_672,
      num_hidden_layers: 104,
      num_attention_heads: 64,
      num_key_value_heads: 8,
      vocab_size: 32_000,
      max_position_embeddings: 32_768,
    }),
  };
  it.each([
    ['Llama-3.1-405B', 256, 2, 12],
    ['mixtral-602B', 512, 4, 6],
  ] as const)('%s stands on %d nodes, its MLPs in %d parts', (name, count, mlpParts, gib) => {
    const config = giants[name];
    const planner = modelPlanner(config, { quant: 'int4', contextLength: 2048, maxSequences: 4 });
    const range = { start: 0, end: units(config).length };
    const nodes = Array.from({ length: count }, (_, i) => ({
      id: `n${i}`,
      speed: 1 + (i % 7),
      budgetBytes: gib * GIB,
    }));
    const planned = planner.plan({ range, nodes, stages: count, random: uniform(3) })!;
    expect(planned).toHaveLength(count);
    expect(planned.every((stage) => stage.range.mlpParts === mlpParts)).toBe(true);
    expect(Math.max(...planned.map((stage) => planner.memoryBytes(stage.range)))).toBeLessThanOrEqual(gib * GIB);
  });
});

describe('splitModel', () => {
  it('cuts within MLPs where there are more stages than half-layers', () => {
    expect(partsForStages(llama, 1)).toBe(1);
    expect(splitModel(llama, 8)).toEqual(units(llama).map((_, i) => ({ start: i, end: i + 1 })));
    for (const stages of [9, 11, 12, 20]) {
      const ranges = splitModel(llama, stages);
      expect(ranges).toHaveLength(stages);
      expect(pieces(llama, ranges)).toEqual(pieces(llama, [{ start: 0, end: 8 }]));
    }
    expect(splitModel(llama, 9)[0]).toMatchObject({ start: 0, mlpParts: 2 });
    expect(() => splitModel(llama, 3 * 17 + 3)).toThrow(expect.objectContaining({ code: 'PLAN_IMPOSSIBLE' }));
  });
});
