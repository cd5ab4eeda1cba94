import { gemm, matMul, type Product } from '../tape/matrix.ts';
import { sumTo } from '../tape/reduce.ts';
import type { Tape, TapeNode, Tensor } from '../tape/tape.ts';
import type { At, Gradient, Rule } from './rule.ts';

export const matrixRules: Record<string, Rule> = {
  MatMul: (at) => factors(at, matMul),
  FusedMatMul: (at) => factors(at, matMul),
  Gemm: (at) => {
    const { g, x, dy } = at;
    const product = (g: Tape, a: Tensor, b: Tensor, options: Product) => gemm(g, a, b, undefined, options);
    return [...factors(at, product), () => sumTo(g, dy, x[2]!.shape)];
  },
};

/** Y = α · op(A) · op(B): the gradients by A and B are products again, whichever of the two is transposed. */
function factors(
  { g, node, x: [a, b], dy }: At,
  product: (g: Tape, a: Tensor, b: Tensor, options: Product) => Tensor,
): [Gradient, Gradient] {
  const { transA, transB, alpha } = optionsOf(node);
  const byA = () =>
    transA
      ? product(g, b!, dy, { transA: transB, transB: true, alpha })
      : product(g, dy, b!, { transB: !transB, alpha });
  const byB = () =>
    transB
      ? product(g, dy, a!, { transA: true, transB: transA, alpha })
      : product(g, a!, dy, { transA: !transA, alpha });
  return [() => sumTo(g, byA(), a!.shape), () => sumTo(g, byB(), b!.shape)];
}

function optionsOf({ attributes }: TapeNode): Required<Product> {
  const { transA, transB, alpha } = attributes as Record<string, { int: number } & { float: number }>;
  return { transA: transA?.int === 1, transB: transB?.int === 1, alpha: alpha?.float ?? 1 };
}
