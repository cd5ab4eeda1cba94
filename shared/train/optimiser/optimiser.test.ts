import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import type { Values } from '../../runtime/tensor-engine.ts';
import { PORTS, updateGraph } from '../graphs.ts';
import type { Parameter } from '../model/family.ts';
import { ADAMW, adamW } from './adamw.ts';
import { addSquares, clipScale } from './clip.ts';
import { learningRateAt } from './schedule.ts';
import { sgd } from './sgd.ts';
import type { Optimiser } from './types.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

const MATRIX: Parameter = { name: 'matrix', shape: [1, 2], init: { constant: 0 } };
const VECTOR: Parameter = { name: 'vector', shape: [2], init: { constant: 0 } };

/** Runs steps on a matrix and a vector that begin as [1, −2], with the same gradient every time. */
async function steps(optimiser: Optimiser, count: number, learningRate: number, gradientScale = 1) {
  const graph = await engine.load(updateGraph(optimiser, [MATRIX, VECTOR]));
  const values: Record<string, Values> = {};
  for (const { name, shape } of [MATRIX, VECTOR]) {
    values[name] = { data: Float32Array.of(1, -2), shape };
    values[PORTS.gradient(name)] = { data: Float32Array.of(0.5, -3), shape };
    for (const slot of optimiser.slots) values[PORTS.state(slot, name)] = { data: new Float32Array(2), shape };
  }
  for (let step = 1; step <= count; step++) {
    for (const [name, value] of Object.entries(optimiser.scalarsAt(step, learningRate, gradientScale))) {
      values[name] = { data: Float32Array.of(value), shape: [] };
    }
    for (const [port, data] of Object.entries(await graph.run(values))) {
      const name = port.slice(PORTS.updated('').length);
      values[name] = { data, shape: values[name]!.shape };
    }
  }
  await graph.release();
  return { matrix: [...values.matrix!.data], vector: [...values.vector!.data] };
}

const near = (expected: number[]) => expected.map((value) => expect.closeTo(value, 5));

describe('AdamW', () => {
  test('moves by the learning rate whatever the size of a steady gradient, and decays matrices only', async () => {
    const { matrix, vector } = await steps(adamW(ADAMW), 3, 0.01);
    expect(vector).toEqual(near([1 - 0.03, -2 + 0.03]));
    let [a, b] = [1, -2];
    for (let step = 0; step < 3; step++) {
      a = a * (1 - 0.01 * ADAMW.weightDecay) - 0.01;
      b = b * (1 - 0.01 * ADAMW.weightDecay) + 0.01;
    }
    expect(matrix).toEqual(near([a, b]));
  });

  test('does not care about the scale of the gradient', async () => {
    expect((await steps(adamW(ADAMW), 2, 0.01, 0.1)).vector).toEqual(near([0.98, -1.98]));
  });
});

test('SGD goes down the scaled gradient, and decays matrices only', async () => {
  const { matrix, vector } = await steps(sgd({ weightDecay: 0.1 }), 1, 0.1, 0.5);
  expect(vector).toEqual(near([1 - 0.025, -2 + 0.15]));
  expect(matrix).toEqual(near([0.99 - 0.025, -1.98 + 0.15]));
});

test('clipping brings the global norm of all gradients together down to the limit', () => {
  const squared = addSquares(Float32Array.of(0, 4), addSquares(Float32Array.of(3, 0), 0));
  expect(Math.sqrt(squared)).toBe(5);
  expect(5 * clipScale(5, 1)).toBeCloseTo(1, 5);
  expect(clipScale(0.5, 1)).toBe(1);
  expect(clipScale(0, 1)).toBe(1);
});

test('the learning rate rises, turns at the end of the warm-up and falls to its floor', () => {
  const schedule = { peak: 1, floor: 0.1, warmup: 4, total: 104 };
  const at = (step: number) => learningRateAt(step, schedule);
  expect([0, 1, 2, 3].map(at)).toEqual([0.2, 0.4, 0.6, 0.8]);
  expect(at(4)).toBe(1);
  expect(at(54)).toBeCloseTo(0.55, 10);
  expect(at(103)).toBeLessThan(0.101);
  expect([104, 1000].map(at)).toEqual([0.1, 0.1]);
  for (let step = 5; step <= 104; step++) expect(at(step)).toBeLessThan(at(step - 1));
});
