/** Operators that work element by element; two operands are broadcast as in NumPy. */
import type { Tape, Tensor } from './tape.ts';

export const add = binary('Add');
export const sub = binary('Sub');
export const mul = binary('Mul');
export const div = binary('Div');
/** aᵇ. */
export const pow = binary('Pow');

export const neg = unary('Neg');
export const exp = unary('Exp');
export const log = unary('Log');
export const sqrt = unary('Sqrt');
export const tanh = unary('Tanh');
export const sigmoid = unary('Sigmoid');
export const erf = unary('Erf');

/** x · sigmoid(x). */
export function silu(g: Tape, x: Tensor): Tensor {
  return g.op('QuickGelu', [x], x, { alpha: { float: 1 } }, 'com.microsoft');
}

/** GELU (Hendrycks and Gimpel 2016) by the error function. */
export function gelu(g: Tape, x: Tensor): Tensor {
  return g.op('Gelu', [x], x, {}, 'com.microsoft');
}

/** GELU in its tanh approximation. */
export function geluTanh(g: Tape, x: Tensor): Tensor {
  return g.op('FastGelu', [x], x, {}, 'com.microsoft');
}

/** x · factor. */
export function scale(g: Tape, x: Tensor, factor: number): Tensor {
  return mul(g, x, g.scalar(factor));
}

/** The shape of both operands broadcast against each other. Throws RangeError where they don't fit. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [left, right] = [a[axis - rank + a.length] ?? 1, b[axis - rank + b.length] ?? 1];
    if (left !== right && left !== 1 && right !== 1) throw new RangeError(`[${a}] and [${b}] do not fit together`);
    return left === 1 ? right : left;
  });
}

function binary(op: string) {
  return (g: Tape, a: Tensor, b: Tensor): Tensor => g.op(op, [a, b], { shape: broadcastShape(a.shape, b.shape) });
}

function unary(op: string) {
  return (g: Tape, x: Tensor): Tensor => g.op(op, [x], { shape: x.shape });
}
