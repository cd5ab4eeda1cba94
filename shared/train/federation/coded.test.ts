import { describe, expect, test } from 'vitest';
import { confirmedMean, meanOfAll, meanOfSenders } from '../aggregate/rules.ts';
import type { Parameter } from '../model/family.ts';
import { memoryStore } from '../store.ts';
import { fedAvg } from './aggregator.ts';
import { codedAggregator } from './coded.ts';
import { runRound } from './round.ts';

const PARAMETERS: Parameter[] = [
  { name: 'matrix', shape: [70, 130], init: { constant: 0 } },
  { name: 'vector', shape: [5000], init: { constant: 0 } },
];
const PLAIN = { codec: 'none' } as const;
const SPARSE = { codec: 'sparse', keep: 64 } as const;

const size = ({ shape }: Parameter) => shape.reduce((product, n) => product * n, 1);
/** Something smooth and different for each seed. */
const values = (seed: number, scale: number) => (parameter: Parameter) =>
  Float32Array.from({ length: size(parameter) }, (_, i) => scale * Math.sin(seed + 0.37 * i * seed));
const modelOf = (seed: number) => memoryStore(PARAMETERS, values(seed, 1));

async function endOf(seed: number, worker: number) {
  const start = modelOf(seed);
  const end = memoryStore(PARAMETERS, values(seed, 1));
  for (const parameter of PARAMETERS) {
    const moved = values(worker + 2, 0.01)(parameter);
    await end.write(
      parameter.name,
      (await start.read(parameter.name)).map((value, i) => value - moved[i]!),
    );
  }
  return end;
}

const cohort = async (weights: number[]) =>
  Promise.all(weights.map(async (weight, worker) => ({ weight, end: await endOf(1, worker) })));

describe('updates that are not coded', () => {
  test('joined by the mean of all are FedAvg', async () => {
    const [coded, plain] = [modelOf(1), modelOf(1)];
    const options = { campaign: 'test', uplink: PLAIN, downlink: PLAIN, rule: meanOfAll, outerLearningRate: 0.7 };
    // Of three the median norm clips none of equal size.
    const contributions = await cohort([3, 1, 2]);
    await codedAggregator(options).advance(coded, PARAMETERS, contributions);
    await fedAvg({ outerLearningRate: 0.7 }).advance(plain, PARAMETERS, contributions);
    for (const { name } of PARAMETERS) {
      const [one, other] = [await coded.read(name), await plain.read(name)];
      const largest = one.reduce((most, value, i) => Math.max(most, Math.abs(value - other[i]!)), 0);
      // Norms differ in the third digit, and the larger ones are clipped to the median.
      expect(largest).toBeLessThan(2e-4);
    }
  });
});

describe('coded updates', () => {
  test('cross a ninetieth of the bytes (the edges of these tensors are small blocks), and what they leave out comes later', async () => {
    const model = modelOf(1);
    const uplink = SPARSE;
    const downlink = { codec: 'sparse', keep: 256 } as const;
    const aggregator = codedAggregator({
      campaign: 'test',
      uplink,
      downlink,
      rule: meanOfSenders,
      outerLearningRate: 1,
    });
    const goal = await endOf(1, 0);
    const distance = async () => {
      let squares = 0;
      for (const { name } of PARAMETERS) {
        const [here, there] = [await model.read(name), await goal.read(name)];
        squares += here.reduce((sum, value, i) => sum + (value - there[i]!) ** 2, 0);
      }
      return Math.sqrt(squares);
    };
    const before = await distance();
    let last = before;
    const weights = memoryStore(PARAMETERS, values(1, 0));
    const learn = async () => {
      for (const { name } of PARAMETERS) {
        const there = await goal.read(name);
        await weights.write(
          name,
          (await weights.read(name)).map((value, i) => value + 0.03 * (there[i]! - value)),
        );
      }
      return 1;
    };
    for (let round = 0; round < 40; round++) {
      await runRound(round, model, PARAMETERS, [{ weights, learn }], aggregator);
      last = await distance();
    }
    expect(last).toBeLessThan(0.8 * before);
    const dense = 40 * 4 * PARAMETERS.reduce((sum, parameter) => sum + size(parameter), 0);
    expect(aggregator.sent.uplinkBytes).toBeLessThan(dense / 90);
    expect(aggregator.sent.downlinkBytes).toBeLessThan(dense / 30);
  });

  test('that are not finite are refused', async () => {
    const end = await endOf(1, 0);
    await end.write('vector', new Float32Array(5000).fill(Number.NaN));
    const options = { campaign: 'test', uplink: SPARSE, downlink: SPARSE, rule: confirmedMean, outerLearningRate: 1 };
    const refused = codedAggregator(options).advance(modelOf(1), PARAMETERS, [{ weight: 1, end }]);
    await expect(refused).rejects.toMatchObject({ code: 'UPDATE_INVALID' });
  });
});
