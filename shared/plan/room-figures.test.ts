import { describe, expect, it, test } from 'vitest';
import { totalBytes } from '../graph/memory.ts';
import { parameterCount } from '../graph/parameters.ts';
import { stageMemory } from '../graph/placement.ts';
import { CATALOGUE, inCatalogue } from '../model/catalogue.ts';
import { parameterCount as trainedParameters } from '../train/model/model.ts';
import { partsForStages } from './division.ts';
import { figuresOf } from './figures.ts';
import { modelPlanner } from './model-plan.ts';
import { splitEvenly } from './plan.ts';
import { budgetOfEach, fewestNodes } from './room-figures.ts';

const GIB = 2 ** 30;

/** Parameters as the models' authors publish them; then what each node of the promised room must offer, in MB. */
test.each([
  ['distilgpt2', 81_912_576, 1, 292, 1],
  ['gpt2', 124_439_808, 1, 486, 1],
  ['SmolLM2-135M-Instruct', 134_515_008, 1, 564, 1],
  ['Qwen2.5-0.5B-Instruct', 494_032_768, 2, 451, 1],
  ['Qwen1.5-1.8B-Chat', 1_836_828_672, 4, 1359, 2],
  ['Llama-2-7b-chat-hf', 6_738_415_616, 12, 1540, 4],
  ['Llama-2-70b-chat-hf', 68_976_648_192, 120, 1161, 20],
  ['Llama-3.1-405B-Instruct', 405_853_388_800, 256, 2843, 128],
  ['moe-600b', 602_499_325_952, 512, 2001, 208],
])('%s has %i parameters; %i nodes offer %i MB each, and of 4 GiB it takes %i', (id, parameters, nodes, mb, fewest) => {
  const { config, room } = inCatalogue(id)!;
  const options = { ...room, maxSequences: 4 };
  expect(parameterCount(config)).toBe(parameters);
  expect(room.nodes).toBe(nodes);
  expect(Math.round(budgetOfEach(config, nodes, options) / 1e6)).toBe(mb);
  expect(fewestNodes(config, 4 * GIB, options)).toBe(fewest);
});

describe('the catalogue', () => {
  it('names each model once, and finds it by id or repository', () => {
    expect(new Set(CATALOGUE.map(({ id }) => id.toLowerCase())).size).toBe(CATALOGUE.length);
    expect(inCatalogue('OPENAI-community/gpt2')?.id).toBe('gpt2');
    expect(inCatalogue('gpt3')).toBeUndefined();
  });

  it('pins every source to a commit', () => {
    for (const { source } of CATALOGUE) {
      if (source)
        expect(source).toEqual({
          repo: expect.stringMatching(/^[\w.-]+\/[\w.-]+$/),
          revision: expect.stringMatching(/^[0-9a-f]{40}$/),
        });
    }
  });

  it('counts parameters as training does', () => {
    for (const { config } of CATALOGUE.slice(0, 5)) expect(parameterCount(config)).toBe(trainedParameters(config));
  });
});

describe('the budget of each', () => {
  const { config, room } = inCatalogue('Llama-2-7b-chat-hf')!;
  const options = { ...room, maxSequences: 4 };
  const budgetBytes = budgetOfEach(config, room.nodes, options);
  const nodes = Array.from({ length: room.nodes }, (_, i) => ({ id: String(i), speed: 1, budgetBytes }));
  const range = { start: 0, end: 2 * config.layers + 2 };

  it('is enough for a plan, and a little less is not', () => {
    const planner = modelPlanner(config, options);
    const stages = planner.plan({ range, nodes, random: () => 0.5 })!;
    expect(stages.length).toBeLessThanOrEqual(room.nodes);
    for (const stage of stages) expect(planner.memoryBytes(stage.range)).toBeLessThanOrEqual(budgetBytes);
    const poorer = nodes.map((node) => ({ ...node, budgetBytes: budgetBytes - 1 }));
    expect(planner.plan({ range, nodes: poorer, random: () => 0.5 })).toBeUndefined();
  });

  it('covers the stages of a room that is cut by bytes', () => {
    const { unitBytes } = figuresOf(config, partsForStages(config, room.nodes), options);
    for (const stage of splitEvenly(unitBytes, room.nodes)) {
      const memory = stageMemory(config, stage, room.quant, room.contextLength);
      expect(totalBytes(memory, options.maxSequences)).toBeLessThanOrEqual(budgetBytes);
    }
  });

  it('is met by as many nodes as it was asked for, and no number has too little', () => {
    expect(fewestNodes(config, budgetBytes, options)).toBeLessThanOrEqual(room.nodes);
    expect(fewestNodes(config, 2 ** 20, options)).toBeUndefined();
  });
});
