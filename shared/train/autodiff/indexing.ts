import { scatterElementsAdd, scatterRowsAdd } from '../tape/indexing.ts';
import { reshape, zeros } from '../tape/shape.ts';
import { sizeOf } from '../tape/tape.ts';
import type { Rule } from './rule.ts';

export const indexingRules: Record<string, Rule> = {
  /** Rows that were looked up several times get the sum. */
  Gather: ({ g, x: [table, indices], dy }) => [
    () => {
      const n = sizeOf(indices!.shape);
      const updates = reshape(g, dy, [n, table!.shape[1]!]);
      return scatterRowsAdd(g, zeros(g, table!.shape), reshape(g, indices!, [n]), updates);
    },
  ],
  GatherElements: ({ g, x: [x, indices], dy }) => [() => scatterElementsAdd(g, zeros(g, x!.shape), indices!, dy)],
};
