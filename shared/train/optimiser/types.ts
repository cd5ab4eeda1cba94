import type { Tape, Tensor } from '../tape/tape.ts';

/** The scalar that decaying parameters are multiplied by. */
export const KEPT = 'kept';

/** An optimiser as a graph: what it keeps for each parameter, and how a step changes both. */
export interface Optimiser {
  /** Tensors of the parameter's shape that it keeps, all zero in the beginning. */
  readonly slots: readonly string[];
  /** Inputs of the graph that change from step to step. */
  readonly scalars: readonly string[];
  /** Their values at a step, of which the first is 1. `gradientScale` multiplies every gradient (clipping). */
  scalarsAt(step: number, learningRate: number, gradientScale: number): Record<string, number>;
  /** `parts` is the parameter and its slots; returns them after the step, in the same order. */
  update(
    g: Tape,
    parts: [parameter: Tensor, ...slots: Tensor[]],
    gradient: Tensor,
    scalars: Record<string, Tensor>,
    decays: boolean,
  ): Tensor[];
}
