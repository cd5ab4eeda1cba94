import type { GraphBuilder, Value } from './builder.ts';
import type { Initializer } from './types.ts';

/**
 * Rows of an embedding, the tensor [rows, width]: indices [1, n] → [1, n, width]. Where the stage is quantised it is held
 * as int8 with a scale for each row, a quarter of its float32: it is most of a small model.
 */
export function lookUp(
  g: GraphBuilder,
  { name, tensor, rows, width }: { name: string; tensor: string; rows: number; width: number },
  indices: Value,
): Value {
  if (g.quant === 'f32') {
    return g.gather(g.weight(name, [rows, width], { kind: 'copy', tensors: [tensor] }), indices);
  }
  const parts: Initializer[] = [
    { name: `${name}.scales`, dtype: 'float32', dims: [rows, 1] },
    { name, dtype: 'int8', dims: [rows, width] },
  ];
  const [scales, values] = g.weightFile(name, parts, { kind: 'rows', tensor, rows, width });
  const chosen = g.op('', 'Cast', [g.gather(values!, indices)], { to: { int: FLOAT } }); // [1, n, width]
  return g.mul(chosen, g.gather(scales!, indices));
}

/** TensorProto.DataType of float32. */
const FLOAT = 1;
