import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { seededRandom } from '../../sampler/random.ts';
import { type Batch, randomBatch } from '../data.ts';
import { initialiser } from '../initialise.ts';
import { parametersOf } from '../model/model.ts';
import { sgd } from '../optimiser/sgd.ts';
import { PRESETS } from '../presets.ts';
import { loadStepGraphs } from '../step-graphs.ts';
import { memoryStore, type TensorStore, zeroValues } from '../store.ts';
import { Trainer } from '../trainer.ts';
import { fedAvg } from './aggregator.ts';
import { runRound, type Worker } from './round.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const ONE = [{ name: 'w', shape: [2], init: { constant: 10 } }];
const model = () => memoryStore(ONE, () => Float32Array.of(10, 10));

/** Moves the weights by a fixed amount. */
function moving(by: number[], tokens: number): Worker {
  const weights = memoryStore(ONE, zeroValues);
  return {
    weights,
    async learn() {
      await weights.write(
        'w',
        (await weights.read('w')).map((value, index) => value + by[index]!),
      );
      return tokens;
    },
  };
}

describe('a round', () => {
  test('moves the model by the mean of the changes, weighted by tokens', async () => {
    const weights = model();
    const workers = [moving([4, 0], 300), moving([0, -8], 100)];
    await runRound(0, weights, ONE, workers, fedAvg({ outerLearningRate: 1 }));
    expect([...(await weights.read('w'))]).toEqual([13, 8]);
    await runRound(1, weights, ONE, workers, fedAvg({ outerLearningRate: 0.5 }));
    expect([...(await weights.read('w'))]).toEqual([14.5, 7]);
  });

  test('of a lone worker takes its weights as they are', async () => {
    const weights = model();
    await runRound(0, weights, ONE, [moving([0.1, 1e-9], 1)], fedAvg({ outerLearningRate: 1 }));
    expect([...(await weights.read('w'))]).toEqual([Math.fround(10.1), Math.fround(10 + 1e-9)]);
  });

  test('of two workers with one step of SGD each is one step on both batches', async () => {
    const config = { ...PRESETS['nano-char'], layers: 1, hiddenSize: 16, headDim: 4, intermediateSize: 64 };
    const parameters = parametersOf(config);
    const corpus = Int32Array.from({ length: 500 }, (_, i) => (i * i) % 65);
    const random = seededRandom(4);
    const halves = [0, 1].map(() => randomBatch(corpus, { batch: 2, sequence: 8 }, random));
    const trainer = async (weights: TensorStore, batch: number) => {
      const options = { config, shape: { batch, sequence: 8 }, optimiser: sgd({ weightDecay: 0.1 }) };
      return new Trainer(await loadStepGraphs(engine, options), { weights, maxGradientNorm: 1e9 });
    };
    const worker = async (batch: Batch): Promise<Worker> => {
      const weights = memoryStore(parameters, zeroValues);
      const own = await trainer(weights, 2);
      return { weights, learn: () => own.step(batch, 0.5).then(() => 16) };
    };
    const apart = memoryStore(parameters, initialiser(1));
    await runRound(0, apart, parameters, await Promise.all(halves.map(worker)), fedAvg({ outerLearningRate: 1 }));

    const together = memoryStore(parameters, initialiser(1));
    const joined = (part: keyof Batch) => Int32Array.from(halves.flatMap((half) => [...half[part]]));
    await (await trainer(together, 4)).step({ tokens: joined('tokens'), targets: joined('targets') }, 0.5);
    for (const { name } of parameters) {
      const [a, b] = [await apart.read(name), await together.read(name)];
      expect(Math.max(...a.map((value, index) => Math.abs(value - b[index]!)))).toBeLessThan(1e-6);
    }
  });
});
