import { reshape } from './shape.ts';
import type { Tape, Tensor } from './tape.ts';

/** Sum over the axes; they stay, as size 1, with `keep`. */
export function reduceSum(g: Tape, x: Tensor, axes: readonly number[], keep = false): Tensor {
  return reduce(g, 'ReduceSum', x, axes, keep);
}

export function reduceMean(g: Tape, x: Tensor, axes: readonly number[], keep = false): Tensor {
  return reduce(g, 'ReduceMean', x, axes, keep);
}

/** The logarithm of the sum of exponentials over the last axis, which stays as size 1; stable for any x. */
export function reduceLogSumExp(g: Tape, x: Tensor): Tensor {
  return reduce(g, 'ReduceLogSumExp', x, [x.shape.length - 1], true);
}

/** The sum of all elements, a scalar. */
export function sumAll(g: Tape, x: Tensor): Tensor {
  return reduceSum(g, x, [...x.shape.keys()]);
}

/** Undoes a broadcast: the sum over every axis along which a value of `shape` was repeated to become x. */
export function sumTo(g: Tape, x: Tensor, shape: readonly number[]): Tensor {
  const leading = x.shape.length - shape.length;
  const axes = [...x.shape.keys()].filter((axis) => axis < leading || shape[axis - leading] !== x.shape[axis]);
  if (axes.length === 0) return x;
  const summed = reduceSum(g, x, axes);
  return summed.shape.length === shape.length ? summed : reshape(g, summed, shape);
}

function reduce(g: Tape, op: string, x: Tensor, axes: readonly number[], keep: boolean): Tensor {
  const shape = x.shape.flatMap((size, axis) => (axes.includes(axis) ? (keep ? [1] : []) : [size]));
  return g.op(op, [x, g.ints(axes)], { shape }, { keepdims: { int: Number(keep) } });
}
