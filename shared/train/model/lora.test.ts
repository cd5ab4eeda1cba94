import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { RULES } from '../campaign/campaign.ts';
import { textCorpus } from '../corpus.ts';
import { codedAggregator } from '../federation/coded.ts';
import { loadWholeGradient } from '../gradient.ts';
import { initialiser } from '../initialise.ts';
import { ADAMW, adamW } from '../optimiser/adamw.ts';
import { PRESETS } from '../presets.ts';
import { memoryStore, storeOver, type TensorStore, weightInputs } from '../store.ts';
import { train } from '../train.ts';
import type { Parameter } from './family.ts';
import { type AdaptedConfig, mergedStore, type TrainingConfig } from './lora.ts';
import { forward, parametersOf, record, trainedOf } from './model.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const SIZES = {
  layers: 2,
  hiddenSize: 16,
  intermediateSize: 24,
  heads: 4,
  headDim: 4,
  vocabSize: 31,
  maxPositions: 12,
};
const FAMILIES = [
  ['gpt2', { ...PRESETS['nano-char'], ...SIZES, kvHeads: 4 }],
  ['llama', { ...PRESETS['ailo-guide'], ...SIZES, kvHeads: 2 }],
] as const;
const shape = { batch: 2, sequence: 8 };
const tokens = Int32Array.from({ length: 16 }, (_, i) => (7 * i) % 31);
const batch = { tokens, targets: tokens.map((id) => (id + 3) % 31) };

/** Half the distance of the two points of a central difference. */
const STEP = 2 ** -6;

/** All tensors large enough to matter, those of adapters, too. */
function loud(seed: number): (parameter: Parameter) => Float32Array {
  const initial = initialiser(seed);
  return (parameter) => initial({ ...parameter, init: { deviation: 0.3 } });
}

async function adapted(base: (typeof FAMILIES)[number][1], lora = { rank: 3, alpha: 4 }) {
  const config: AdaptedConfig = { ...base, eosTokens: [], lora };
  const frozen = memoryStore(parametersOf(base as TrainingConfig), loud(1));
  return { config, frozen, weights: storeOver(frozen, trainedOf(config), loud(2)) };
}

async function logitsOf(config: TrainingConfig, weights: Pick<TensorStore, 'read'>): Promise<Float32Array> {
  const { g, result } = record(config, shape, forward);
  g.output(result, 'logits');
  const graph = await engine.load(g.encode());
  const inputs = await weightInputs(weights, parametersOf(config));
  const { logits } = await graph.run({ ...inputs, tokens: { data: tokens, shape: [2, 8] } });
  await graph.release();
  return logits!;
}

describe.each(FAMILIES)('adapters of %s', (_, base) => {
  test('have the gradients of central differences, and nothing else has any', async () => {
    const { config, weights } = await adapted(base);
    const gradient = await loadWholeGradient(engine, config, shape);
    const { gradients } = await gradient.compute(weights, batch);
    expect([...gradients.keys()]).toEqual(trainedOf(config).map(({ name }) => name));
    for (const parameter of trainedOf(config)) {
      const direction = initialiser(3)({ ...parameter, init: { deviation: 1 } });
      const start = await weights.read(parameter.name);
      const losses: number[] = [];
      for (const side of [1, -1]) {
        await weights.write(
          parameter.name,
          start.map((value, i) => value + side * STEP * direction[i]!),
        );
        losses.push((await gradient.compute(weights, batch)).loss);
      }
      await weights.write(parameter.name, start);
      const expected = (losses[0]! - losses[1]!) / (2 * STEP);
      const slope = gradients.get(parameter.name)!.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      expect(Math.abs(slope - expected), parameter.name).toBeLessThan(2e-3 * Math.max(1, Math.abs(expected)));
    }
    await gradient.release();
  });

  test('give the same logits beside the base as merged into it, and none in the beginning', async () => {
    const { config, frozen, weights } = await adapted(base);
    const { lora, ...plain } = config;
    const beside = await logitsOf(config, weights);
    const merged = await logitsOf(plain, mergedStore(config, weights));
    const alone = await logitsOf(plain, frozen);
    const apart = (a: Float32Array, b: Float32Array) => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    expect(apart(beside, merged)).toBeLessThan(1e-4);
    expect(apart(beside, alone)).toBeGreaterThan(0.1);
    expect(await logitsOf(config, storeOver(frozen, trainedOf(config), initialiser(1)))).toEqual(alone);
  });

  test('learn as several workers that send coded updates, and leave every bit of the base', async () => {
    const { config, frozen } = await adapted(base, { rank: 4, alpha: 8 });
    const before = new Map<string, Float32Array>();
    for (const { name } of parametersOf(base as TrainingConfig)) before.set(name, (await frozen.read(name)).slice());
    const aggregator = codedAggregator({
      ...{ campaign: 'test', rule: RULES.confirmed, outerLearningRate: 1 },
      ...{ uplink: { codec: 'sparse', keep: 64 }, downlink: { codec: 'sparse', keep: 256 } },
    });
    const losses: number[] = [];
    await train(
      {
        ...{ engine, config, shape, aggregator, workers: 2, rounds: 8, localSteps: 20, seed: 1 },
        weights: storeOver(frozen, trainedOf(config), initialiser(1)),
        corpus: textCorpus(Int32Array.from({ length: 600 }, (_, i) => (5 * i) % 31)),
        optimiser: adamW(ADAMW),
        schedule: { peak: 0.02, floor: 0.02, warmup: 0, total: 160 },
        ...{ maxGradientNorm: 1, evaluateEvery: 1, evaluationBatches: 4 },
      },
      (event) => {
        if (event.kind === 'evaluation') losses.push(event.loss);
      },
    );
    expect(losses.at(-1)).toBeLessThan(losses[0]! - 0.3);
    for (const [name, values] of before) expect(await frozen.read(name), name).toEqual(values);
    const sent = trainedOf(config).reduce((sum, { shape }) => sum + shape[0]! * shape[1]!, 0);
    expect(aggregator.sent.uplinkBytes).toBeLessThan(4 * sent * 2 * 8);
  });
});
