/** Operators that move values without changing them. */
import { sizeOf, type Tape, type Tensor } from './tape.ts';

export function reshape(g: Tape, x: Tensor, shape: readonly number[]): Tensor {
  if (sizeOf(x.shape) !== sizeOf(shape)) throw new RangeError(`[${x.shape}] cannot become [${shape}]`);
  return g.op('Reshape', [x, g.ints(shape)], { shape, dtype: x.dtype });
}

/** Axis i of the result is axis order[i] of x. */
export function transpose(g: Tape, x: Tensor, order: readonly number[]): Tensor {
  return g.op('Transpose', [x], { shape: order.map((axis) => x.shape[axis]!) }, { perm: { ints: [...order] } });
}

/** Rows `start` (inclusive) to `end` (exclusive) along one axis. */
export function slice(g: Tape, x: Tensor, axis: number, start: number, end: number): Tensor {
  const shape = x.shape.map((size, index) => (index === axis ? end - start : size));
  return g.op('Slice', [x, g.ints([start]), g.ints([end]), g.ints([axis])], { shape });
}

export function concat(g: Tape, parts: Tensor[], axis: number): Tensor {
  const size = parts.reduce((sum, { shape }) => sum + shape[axis]!, 0);
  const shape = parts[0]!.shape.map((other, index) => (index === axis ? size : other));
  return g.op('Concat', parts, { shape }, { axis: { int: axis } });
}

export function split(g: Tape, x: Tensor, sizes: readonly number[], axis: number): Tensor[] {
  const results = sizes.map((size) => ({ shape: x.shape.map((other, index) => (index === axis ? size : other)) }));
  return g.record('Split', [x, g.ints(sizes)], results, { axis: { int: axis } });
}

/** Zeros along one axis, `before` and `after` x. */
export function pad(g: Tape, x: Tensor, axis: number, before: number, after: number): Tensor {
  const at = (amount: number) => x.shape.map((_, index) => (index === axis ? amount : 0));
  const shape = x.shape.map((size, index) => (index === axis ? size + before + after : size));
  return g.op('Pad', [x, g.ints([...at(before), ...at(after)])], { shape });
}

/** x repeated to a shape it can be broadcast to. */
export function expand(g: Tape, x: Tensor, shape: readonly number[]): Tensor {
  return g.op('Expand', [x, g.ints(shape)], { shape, dtype: x.dtype });
}

export function zeros(g: Tape, shape: readonly number[]): Tensor {
  return expand(g, g.scalar(0), shape);
}
