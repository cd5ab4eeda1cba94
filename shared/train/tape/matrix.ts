/** Matrix products. Operands are transposed by the product itself, which is steadier than a Transpose before it. */
import { broadcastShape } from './elementwise.ts';
import type { Tape, Tensor } from './tape.ts';

export interface Product {
  transA?: boolean;
  transB?: boolean;
  /** Factor of the product. */
  alpha?: number;
}

/** alpha · op(a) · op(b) over the last two axes; the axes before are broadcast. */
export function matMul(g: Tape, a: Tensor, b: Tensor, options: Product = {}): Tensor {
  const { transA = false, transB = false, alpha = 1 } = options;
  const [rows, inner] = matrixShape(a, transA);
  const [innerB, columns] = matrixShape(b, transB);
  if (inner !== innerB) throw new RangeError(`[${a.shape}] and [${b.shape}] have no product`);
  const shape = [...broadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns];
  if (!transA && !transB && alpha === 1) return g.op('MatMul', [a, b], { shape });
  return g.op('FusedMatMul', [a, b], { shape }, attributes(transA, transB, alpha), 'com.microsoft');
}

/** alpha · op(a) · op(b) + c of matrices; c is [columns]. */
export function gemm(g: Tape, a: Tensor, b: Tensor, c?: Tensor, options: Product = {}): Tensor {
  const { transA = false, transB = false, alpha = 1 } = options;
  const [rows, inner] = matrixShape(a, transA);
  const [innerB, columns] = matrixShape(b, transB);
  if (inner !== innerB || (c && c.shape[0] !== columns)) {
    throw new RangeError(`[${a.shape}] and [${b.shape}] have no product plus [${c?.shape ?? ''}]`);
  }
  const inputs = c ? [a, b, c] : [a, b];
  return g.op('Gemm', inputs, { shape: [rows, columns] }, attributes(transA, transB, alpha));
}

function matrixShape({ shape }: Tensor, transposed: boolean): [rows: number, columns: number] {
  const [rows, columns] = [shape.at(-2)!, shape.at(-1)!];
  return transposed ? [columns, rows] : [rows, columns];
}

function attributes(transA: boolean, transB: boolean, alpha: number) {
  return { transA: { int: Number(transA) }, transB: { int: Number(transB) }, alpha: { float: alpha } };
}
