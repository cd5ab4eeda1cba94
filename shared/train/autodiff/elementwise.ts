import { add, div, erf, exp, log, mul, neg, pow, scale, sigmoid, sub, tanh } from '../tape/elementwise.ts';
import { sumTo } from '../tape/reduce.ts';
import type { Tape, Tensor } from '../tape/tape.ts';
import type { Rule } from './rule.ts';

const ROOT_2_OVER_PI = Math.sqrt(2 / Math.PI);
/** Of the tanh approximation: u = √(2/π) · (x + CUBIC · x³). */
const CUBIC = 0.044715;

export const elementwiseRules: Record<string, Rule> = {
  Add: ({ g, x: [a, b], dy }) => [() => sumTo(g, dy, a!.shape), () => sumTo(g, dy, b!.shape)],
  Sub: ({ g, x: [a, b], dy }) => [() => sumTo(g, dy, a!.shape), () => neg(g, sumTo(g, dy, b!.shape))],
  Mul: ({ g, x: [a, b], dy }) => [() => sumTo(g, mul(g, dy, b!), a!.shape), () => sumTo(g, mul(g, dy, a!), b!.shape)],
  Div: ({ g, x: [a, b], y, dy }) => [
    () => sumTo(g, div(g, dy, b!), a!.shape),
    () => neg(g, sumTo(g, div(g, mul(g, dy, y), b!), b!.shape)),
  ],
  Pow: ({ g, x: [a, b], y, dy }) => [
    () => sumTo(g, mul(g, dy, mul(g, b!, pow(g, a!, sub(g, b!, g.scalar(1))))), a!.shape),
    () => sumTo(g, mul(g, dy, mul(g, y, log(g, a!))), b!.shape),
  ],
  Neg: ({ g, dy }) => [() => neg(g, dy)],
  Exp: ({ g, y, dy }) => [() => mul(g, dy, y)],
  Log: ({ g, x: [x], dy }) => [() => div(g, dy, x!)],
  Sqrt: ({ g, y, dy }) => [() => div(g, scale(g, dy, 0.5), y)],
  Tanh: ({ g, y, dy }) => [() => mul(g, dy, oneMinus(g, mul(g, y, y)))],
  Sigmoid: ({ g, y, dy }) => [() => mul(g, dy, mul(g, y, oneMinus(g, y)))],
  Erf: ({ g, x: [x], dy }) => [() => mul(g, dy, scale(g, bell(g, x!, 1), 2 / Math.sqrt(Math.PI)))],
  /** Silu: s = sigmoid(x), y = x·s, y′ = s + y·(1 − s). */
  QuickGelu: ({ g, x: [x], y, dy }) => [
    () => {
      const s = sigmoid(g, x!);
      return mul(g, dy, add(g, s, mul(g, y, oneMinus(g, s))));
    },
  ],
  /** y = x·Φ(x), y′ = Φ(x) + x·φ(x) with the normal distribution's Φ and density φ. */
  Gelu: ({ g, x: [x], dy }) => [
    () => {
      const cumulative = scale(g, add(g, erf(g, scale(g, x!, Math.SQRT1_2)), g.scalar(1)), 0.5);
      const density = scale(g, bell(g, x!, 0.5), 1 / Math.sqrt(2 * Math.PI));
      return mul(g, dy, add(g, cumulative, mul(g, x!, density)));
    },
  ],
  /** y = x/2·(1 + t), t = tanh(u): y′ = (1 + t)/2 + x/2·(1 − t²)·u′ = (1 + t)/2·(1 + (1 − t)·x·u′). */
  FastGelu: ({ g, x: [x], dy }) => [
    () => {
      const square = mul(g, x!, x!);
      const linear = (constant: number, slope: number) =>
        mul(g, x!, add(g, scale(g, square, slope), g.scalar(constant)));
      const t = tanh(g, linear(ROOT_2_OVER_PI, ROOT_2_OVER_PI * CUBIC)); // of u
      const steepness = linear(ROOT_2_OVER_PI, 3 * ROOT_2_OVER_PI * CUBIC); // x · u′
      const half = scale(g, add(g, t, g.scalar(1)), 0.5);
      const slope = add(g, mul(g, oneMinus(g, t), steepness), g.scalar(1));
      return mul(g, dy, mul(g, half, slope));
    },
  ],
};

function oneMinus(g: Tape, x: Tensor): Tensor {
  return sub(g, g.scalar(1), x);
}

/** exp(−factor · x²). */
function bell(g: Tape, x: Tensor, factor: number): Tensor {
  return exp(g, scale(g, mul(g, x, x), -factor));
}
