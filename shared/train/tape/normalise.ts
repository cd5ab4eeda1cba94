import type { Tape, Tensor } from './tape.ts';

export function softmax(g: Tape, x: Tensor): Tensor {
  return g.op('Softmax', [x], { shape: x.shape }, { axis: { int: -1 } });
}

/** Stable for any x: log-sum-exp with the largest element taken out. */
export function logSoftmax(g: Tape, x: Tensor): Tensor {
  return g.op('LogSoftmax', [x], { shape: x.shape }, { axis: { int: -1 } });
}

/** LayerNorm (Ba et al. 2016) over the last axis; its other results, mean and 1/deviation, serve the gradient. */
export function layerNorm(g: Tape, x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): Tensor {
  const perRow = { shape: [...x.shape.slice(0, -1), 1] };
  const attributes = { axis: { int: -1 }, epsilon: { float: epsilon } };
  return g.record('LayerNormalization', [x, weight, bias], [{ shape: x.shape }, perRow, perRow], attributes)[0]!;
}

/** RMSNorm (Zhang and Sennrich 2019) over the last axis. */
export function rmsNorm(g: Tape, x: Tensor, weight: Tensor, epsilon: number): Tensor {
  const attributes = { axis: { int: -1 }, epsilon: { float: epsilon }, stash_type: { int: 1 } };
  return g.op('SimplifiedLayerNormalization', [x, weight], { shape: x.shape }, attributes);
}
