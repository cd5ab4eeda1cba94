import { add, div, erf, exp, log, mul, neg, pow, scale, sigmoid, sub } from '../tape/elementwise.ts';
import { sumTo } from '../tape/reduce.ts';
import type { Tape, Tensor } from '../tape/tape.ts';
import type { Rule } from './rule.ts';

/** Of GELU's tanh approximation, as it stands in the sigmoid. */
const A = 2 * Math.sqrt(2 / Math.PI);
const B = 0.044715 * A;

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
  /** tanh by the sigmoid: y = x·s, s = sigmoid(w), w = x·(A + B·x²): y′ = s + y·(1 − s)·w′, w′ = 3·(A + B·x²) − 2·A. */
  FastGelu: ({ g, x: [x], y, dy }) => [
    () => {
      const t = add(g, scale(g, mul(g, x!, x!), B), g.scalar(A));
      const s = sigmoid(g, mul(g, x!, t));
      const steepness = sub(g, scale(g, t, 3), g.scalar(2 * A));
      return mul(g, dy, add(g, s, mul(g, mul(g, y, oneMinus(g, s)), steepness)));
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
