import type { Parameter } from '../model/family.ts';
import type { TensorStore } from '../store.ts';
import type { Aggregator } from './aggregator.ts';

/** Somebody who trains a copy of the model. */
export interface Worker {
  weights: TensorStore;
  /** Runs the round's local steps on `weights`; returns the tokens it learned from. */
  learn(round: number): Promise<number>;
}

/**
 * One round: every worker begins with the model's weights and learns on its own; the model then moves by what the
 * aggregator makes of all. A lone worker's weights are the model's as they are.
 */
export async function runRound(
  round: number,
  model: TensorStore,
  parameters: readonly Parameter[],
  workers: readonly Worker[],
  aggregator: Aggregator,
): Promise<void> {
  const learned: { worker: Worker; weight: number }[] = [];
  for (const worker of workers) {
    for (const { name } of parameters) await worker.weights.write(name, await model.read(name));
    learned.push({ worker, weight: await worker.learn(round) });
  }
  for (const parameter of parameters) {
    const start = await model.read(parameter.name);
    const ends = await Promise.all(learned.map(({ worker }) => worker.weights.read(parameter.name)));
    if (ends.length === 1) {
      await model.write(parameter.name, ends[0]!);
      continue;
    }
    const deltas = ends.map((end, index) => ({ weight: learned[index]!.weight, values: difference(start, end) }));
    await model.write(parameter.name, difference(start, await aggregator.aggregate(parameter, deltas)));
  }
}

function difference(a: Float32Array, b: Float32Array): Float32Array {
  const values = new Float32Array(a.length);
  for (let index = 0; index < a.length; index++) values[index] = a[index]! - b[index]!;
  return values;
}
