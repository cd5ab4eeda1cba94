import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Quant } from '../../shared/graph/types.ts';
import { divided } from '../../shared/graph/units.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { MAX_SEQUENCES, MIN_SEQUENCES } from './limits.ts';
import type { Candidate } from './room.ts';
import { sequencesOf, sizing } from './sizing.ts';

const config: ModelConfig = {
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
  eosTokens: [2],
};

const candidate = (node: string, budgetBytes: number, matmulGflops = 10): Candidate => ({
  node,
  offer: { engine: 'node', budgetBytes, matmulGflops },
});

const figures = sizing(config, { quant: 'f32', contextLength: 512, maxSequences: 2 });
const whole = { start: 0, end: figures.units };

describe('sizing', () => {
  test('what kernels compute may be as large as they offer, and nothing else', () => {
    const offer = { engine: 'wasm', budgetBytes: 1000, kernelBudgetBytes: 2250, matmulGflops: 1 } as const;
    const { kernelBudgetBytes: _, ...without } = offer;
    const inRoom = (quant: Quant, of = config) => sizing(of, { quant, contextLength: 512, maxSequences: 2 });
    expect(inRoom('int8').budgetOf(offer)).toBe(2250);
    expect(inRoom('int8').budgetOf(without)).toBe(1000);
    expect(inRoom('f32').budgetOf(offer)).toBe(1000);
    expect(inRoom('int8', { ...config, experts: { count: 4, perToken: 2 } }).budgetOf(offer)).toBe(1000);
  });

  test('a stage’s memory grows with its units, until the last, which needs no journal', () => {
    expect(figures.units).toBe(12);
    const journalBytes = 2 * 512 * config.hiddenSize * 4;
    const headBytes = figures.memoryBytes(whole) - figures.memoryBytes({ start: 0, end: figures.units - 1 });
    expect(headBytes + journalBytes).toBeGreaterThan(0);
    for (let end = 1; end < figures.units - 1; end++) {
      expect(figures.memoryBytes({ start: 0, end: end + 1 })).toBeGreaterThan(figures.memoryBytes({ start: 0, end }));
    }
  });

  test('no plan gives a node more than its budget, whatever the nodes', () => {
    const all = figures.memoryBytes(whole);
    const budgets = fc.array(fc.integer({ min: Math.floor(all / 10), max: Math.floor(1.2 * all) }), {
      minLength: 1,
      maxLength: 8,
    });
    const count = fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined });
    let planned = 0;
    fc.assert(
      fc.property(budgets, count, fc.integer({ min: 0, max: 11 }), (budgets, stages, start) => {
        const range = { start, end: figures.units };
        const candidates = budgets.map((bytes, i) => candidate(`n${i}`, bytes));
        const placements = figures.plan(range, candidates, Math.random, stages);
        if (!placements) return;
        planned++;
        if (stages !== undefined) expect(placements).toHaveLength(stages);
        expect(new Set(placements.map(({ node }) => node)).size).toBe(placements.length);
        const { mlpParts = 1 } = placements[0]!.range;
        let at = divided(range, mlpParts).start;
        for (const placement of placements) {
          expect(placement.range).toMatchObject({ start: at, ...(mlpParts > 1 && { mlpParts }) });
          at = placement.range.end;
          const { offer } = candidates.find(({ node }) => node === placement.node)!;
          expect(figures.memoryBytes(placement.range)).toBeLessThanOrEqual(offer.budgetBytes);
        }
        expect(at).toBe(divided(range, mlpParts).end);
      }),
    );
    expect(planned).toBeGreaterThan(10);
  });

  test('takes one node where one suffices, and none where none do', () => {
    const enough = 2 * figures.memoryBytes(whole);
    expect(figures.plan(whole, [candidate('a', 1), candidate('b', enough)], () => 0)).toEqual([
      { node: 'b', range: whole },
    ]);
    expect(figures.plan(whole, [candidate('a', 1)], () => 0)).toBeUndefined();
    expect(figures.plan(whole, [], () => 0)).toBeUndefined();
  });
});

test('a room keeps as many sequences as its memory allows, within bounds', () => {
  expect(sequencesOf(config, 'f32', 512)).toBe(MAX_SEQUENCES);
  const large = {
    ...config,
    layers: 24,
    hiddenSize: 2048,
    heads: 16,
    kvHeads: 16,
    headDim: 128,
    intermediateSize: 5504,
  };
  const qwen = { ...large, vocabSize: 151_936, maxPositions: 32_768 };
  expect(sequencesOf(qwen, 'int8', 512)).toBeGreaterThanOrEqual(8);
  expect(sequencesOf(qwen, 'int8', 512)).toBeLessThan(MAX_SEQUENCES);
  expect(sequencesOf(qwen, 'int8', 8192)).toBe(MIN_SEQUENCES);
});
