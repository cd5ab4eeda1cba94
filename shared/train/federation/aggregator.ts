import type { Parameter } from '../model/family.ts';

/** What one worker says of one parameter after its local steps. */
export interface Delta {
  /** Its share is weight / sum of weights; the tokens it was assigned. */
  weight: number;
  /** θ_start − θ_end. */
  values: Float32Array;
}

/** Joins the workers' deltas of a parameter, one parameter after the other, so that no model is ever held N times. */
export interface Aggregator {
  /** What is subtracted from the parameter. */
  aggregate(parameter: Parameter, deltas: readonly Delta[]): Promise<Float32Array>;
}

/** FedAvg (McMahan et al. 2017) in f32: η · Σ (n_k/n) · Δ_k. */
export function fedAvg({ outerLearningRate }: { outerLearningRate: number }): Aggregator {
  return {
    async aggregate(_, deltas) {
      const total = deltas.reduce((sum, { weight }) => sum + weight, 0);
      const mean = new Float32Array(deltas[0]!.values.length);
      for (const { weight, values } of deltas) {
        const share = (outerLearningRate * weight) / total;
        for (let index = 0; index < mean.length; index++) mean[index]! += share * values[index]!;
      }
      return mean;
    },
  };
}
