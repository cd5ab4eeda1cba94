/** Operators that read or write by index (int32 tensors). */
import { expand, reshape } from './shape.ts';
import type { Tape, Tensor } from './tape.ts';

/** table [rows, d], indices [...] → [..., d]. */
export function gather(g: Tape, table: Tensor, indices: Tensor): Tensor {
  return g.op('Gather', [table, indices], { shape: [...indices.shape, ...table.shape.slice(1)] }, { axis: { int: 0 } });
}

/** x [n, m], indices [n, k] → [n, k], each row's elements at its indices. */
export function gatherElements(g: Tape, x: Tensor, indices: Tensor): Tensor {
  return g.op('GatherElements', [x, indices], { shape: indices.shape }, { axis: { int: 1 } });
}

/** x [n, m] with updates [n, k] added, in each row at its indices [n, k]. */
export function scatterElementsAdd(g: Tape, x: Tensor, indices: Tensor, updates: Tensor): Tensor {
  const attributes = { axis: { int: 1 }, reduction: { text: 'add' } };
  return g.op('ScatterElements', [x, indices, updates], x, attributes);
}

/**
 * x [rows, d] with updates [n, d] added at row indices [n], which may repeat. ScatterND would be faster, but
 * onnxruntime runs its additions in threads without a lock and loses some of them.
 */
export function scatterRowsAdd(g: Tape, x: Tensor, indices: Tensor, updates: Tensor): Tensor {
  const column = reshape(g, indices, [indices.shape[0]!, 1]);
  const attributes = { axis: { int: 0 }, reduction: { text: 'add' } };
  return g.op('ScatterElements', [x, expand(g, column, updates.shape), updates], x, attributes);
}
