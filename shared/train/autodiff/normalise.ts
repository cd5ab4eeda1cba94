import { add, div, exp, mul, neg, sqrt, sub } from '../tape/elementwise.ts';
import { reduceMean, reduceSum, sumTo } from '../tape/reduce.ts';
import { rotaryEmbedding } from '../tape/rotary.ts';
import type { Tape, Tensor } from '../tape/tape.ts';
import type { Rule } from './rule.ts';

export const normaliseRules: Record<string, Rule> = {
  Softmax: ({ g, y, dy }) => [() => mul(g, y, sub(g, dy, reduceSum(g, mul(g, dy, y), lastAxis(y), true)))],
  LogSoftmax: ({ g, y, dy }) => [() => sub(g, dy, mul(g, exp(g, y), reduceSum(g, dy, lastAxis(y), true)))],
  /** x̂ = (x − mean)·r with r = 1/deviation: dx = r·(dx̂ − mean(dx̂) − x̂·mean(dx̂·x̂)). */
  LayerNormalization: ({ g, node, x: [x, weight, bias], dy }) => {
    const [, mean, inverse] = node.outputs;
    const normed = mul(g, sub(g, x!, mean!), inverse!);
    return [
      () => {
        const d = mul(g, dy, weight!);
        return mul(g, sub(g, sub(g, d, meanOfRow(g, d)), projection(g, d, normed)), inverse!);
      },
      () => sumTo(g, mul(g, dy, normed), weight!.shape),
      () => sumTo(g, dy, bias!.shape),
    ];
  },
  /**
   * RMSNorm: x̂ = x·r with r = 1/root mean square: dx = r·(dx̂ − x̂·mean(dx̂·x̂)). The operator would give r as well, but
   * not on WebGPU.
   */
  SimplifiedLayerNormalization: ({ g, node, x: [x, weight], dy }) => {
    const { float: epsilon } = node.attributes.epsilon as { float: number };
    const meanSquare = meanOfRow(g, mul(g, x!, x!));
    const inverse = div(g, g.scalar(1), sqrt(g, add(g, meanSquare, g.scalar(epsilon))));
    const normed = mul(g, x!, inverse);
    return [
      () => {
        const d = mul(g, dy, weight!);
        return mul(g, sub(g, d, projection(g, d, normed)), inverse);
      },
      () => sumTo(g, mul(g, dy, normed), weight!.shape),
    ];
  },
  /** A rotation's gradient is the rotation back. */
  RotaryEmbedding: ({ g, x: [, , cos, sin], dy }) => [() => rotaryEmbedding(g, dy, cos!, neg(g, sin!))],
};

/** The part of each row of d that lies along x̂, which a normalisation takes out. */
function projection(g: Tape, d: Tensor, normed: Tensor): Tensor {
  return mul(g, normed, meanOfRow(g, mul(g, d, normed)));
}

function meanOfRow(g: Tape, x: Tensor): Tensor {
  return reduceMean(g, x, lastAxis(x), true);
}

function lastAxis({ shape }: Tensor): number[] {
  return [shape.length - 1];
}
