import { scale } from '../tape/elementwise.ts';
import { scatterElementsAdd, scatterRowsAdd } from '../tape/indexing.ts';
import { reshape } from '../tape/shape.ts';
import { sizeOf, type Tape, type Tensor } from '../tape/tape.ts';
import type { Rule } from './rule.ts';

export const indexingRules: Record<string, Rule> = {
  /** Rows that were looked up several times get the sum. */
  Gather: ({ g, x: [table, indices], dy }) => [
    () => {
      const n = sizeOf(indices!.shape);
      const updates = reshape(g, dy, [n, table!.shape[1]!]);
      return scatterRowsAdd(g, zerosLike(g, table!), reshape(g, indices!, [n]), updates);
    },
  ],
  GatherElements: ({ g, x: [x, indices], dy }) => [() => scatterElementsAdd(g, zerosLike(g, x!), indices!, dy)],
};

/** Zeros that depend on x: onnxruntime would keep a constant of this size, as large as the embedding, with the graph. */
function zerosLike(g: Tape, x: Tensor): Tensor {
  return scale(g, x, 0);
}
