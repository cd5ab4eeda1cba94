import { add, div, mul, scale, sqrt, sub } from '../tape/elementwise.ts';
import type { Optimiser } from './types.ts';

export interface AdamWOptions {
  beta1: number;
  beta2: number;
  epsilon: number;
  weightDecay: number;
}

/** nanoGPT's values for small models. */
export const ADAMW: AdamWOptions = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: 0.1 };

/**
 * AdamW (Loshchilov and Hutter 2019): p ← p·(1 − η·λ) − η/c₁ · m / (√v/√c₂ + ε), with c = 1 − βᵗ correcting the
 * averages for their beginning at 0.
 */
export function adamW({ beta1, beta2, epsilon, weightDecay }: AdamWOptions): Optimiser {
  return {
    slots: ['m', 'v'],
    scalars: ['gradient_scale', 'step_size', 'root_correction', 'kept'],
    scalarsAt: (step, learningRate, gradientScale) => ({
      gradient_scale: gradientScale,
      step_size: learningRate / (1 - beta1 ** step),
      root_correction: 1 / Math.sqrt(1 - beta2 ** step),
      kept: 1 - learningRate * weightDecay,
    }),
    update(g, [parameter, m, v], gradient, { gradient_scale, step_size, root_correction, kept }, decays) {
      const scaled = mul(g, gradient, gradient_scale!);
      const mean = add(g, scale(g, m!, beta1), scale(g, scaled, 1 - beta1));
      const square = add(g, scale(g, v!, beta2), scale(g, mul(g, scaled, scaled), 1 - beta2));
      const root = add(g, mul(g, sqrt(g, square), root_correction!), g.scalar(epsilon));
      const change = mul(g, div(g, mean, root), step_size!);
      return [sub(g, decays ? mul(g, parameter, kept!) : parameter, change), mean, square];
    },
  };
}
