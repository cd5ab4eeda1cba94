import { mul, sub } from '../tape/elementwise.ts';
import type { Optimiser } from './types.ts';

/** Stochastic gradient descent with decoupled decay: p ← p·(1 − η·λ) − η·g. */
export function sgd({ weightDecay }: { weightDecay: number }): Optimiser {
  return {
    slots: [],
    scalars: ['step_size', 'kept'],
    scalarsAt: (_, learningRate, gradientScale) => ({
      step_size: learningRate * gradientScale,
      kept: 1 - learningRate * weightDecay,
    }),
    update: (g, [parameter], gradient, { step_size, kept }, decays) => [
      sub(g, decays ? mul(g, parameter, kept!) : parameter, mul(g, gradient, step_size!)),
    ],
  };
}
