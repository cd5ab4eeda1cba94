import type { Parameter } from '../model/family.ts';
import type { TensorStore } from '../store.ts';

/** What one worker made of the model's weights in a round. */
export interface Contribution {
  /** Its share is weight / sum of weights; the tokens it was assigned. */
  weight: number;
  end: TensorStore;
}

/** Makes one change of the model out of what the workers learned from it. */
export interface Aggregator {
  /** `contributions` stand in the order of the workers, which is the same in every round. */
  advance(model: TensorStore, parameters: readonly Parameter[], contributions: readonly Contribution[]): Promise<void>;
}

/**
 * FedAvg (McMahan et al. 2017) in f32: θ ← θ − η · Σ (n_k/n) · (θ − θ_k), tensor by tensor. A lone worker's weights
 * are taken as they are where η is 1, so that one worker is plain training to the bit.
 */
export function fedAvg({ outerLearningRate }: { outerLearningRate: number }): Aggregator {
  return {
    async advance(model, parameters, contributions) {
      const total = contributions.reduce((sum, { weight }) => sum + weight, 0);
      const plain = contributions.length === 1 && outerLearningRate === 1;
      for (const { name } of parameters) {
        if (plain) {
          await model.write(name, await contributions[0]!.end.read(name));
          continue;
        }
        const start = await model.read(name);
        const moved = start.slice();
        for (const { weight, end } of contributions) {
          moveTowards(moved, (outerLearningRate * weight) / total, start, await end.read(name));
        }
        await model.write(name, moved);
      }
    },
  };
}

/** target ← target − share · (start − end). */
function moveTowards(target: Float32Array, share: number, start: Float32Array, end: Float32Array): void {
  for (let index = 0; index < target.length; index++) target[index]! -= share * (start[index]! - end[index]!);
}
