import type { Parameter } from '../model/family.ts';
import type { TensorStore } from '../store.ts';
import type { Aggregator, Contribution } from './aggregator.ts';

/** Somebody who trains a copy of the model. */
export interface Worker {
  weights: TensorStore;
  /** Runs the round's local steps on `weights`; returns the tokens it learned from. */
  learn(round: number): Promise<number>;
}

/** One round: every worker begins with the model's weights and learns on its own; then the model moves by all of it. */
export async function runRound(
  round: number,
  model: TensorStore,
  parameters: readonly Parameter[],
  workers: readonly Worker[],
  aggregator: Aggregator,
): Promise<void> {
  const contributions: Contribution[] = [];
  for (const { weights, learn } of workers) {
    for (const { name } of parameters) await weights.write(name, await model.read(name));
    contributions.push({ weight: await learn(round), end: weights });
  }
  await aggregator.advance(model, parameters, contributions);
}
