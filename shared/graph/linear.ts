import type { GraphBuilder, Value } from './builder.ts';
import { INT4_BLOCK } from './limits.ts';
import type { Initializer, MatrixSource } from './types.ts';

export interface Linear {
  /** Of the matrix in the graph; its scales and bias get suffixes. */
  name: string;
  source: MatrixSource;
  /** Tensors of the biases, one after the other. */
  bias?: string[];
}

/**
 * x [1, n, in] → [1, n, out] through a matrix of the model, in the stage's quantisation: f32 is the reference, int8
 * quantises x too, int4 (MatMulNBits) only the weights. A row of the result depends on its row of x alone, not on
 * which rows are computed with it.
 */
export function linear(g: GraphBuilder, x: Value, { name, source, bias }: Linear): Value {
  const outSize = sum(source.outSizes);
  const biasVector = bias && g.vector(`${name}.bias`, outSize, bias);
  const product = { f32: floatMatMul, int8: int8MatMul, int4: int4MatMul }[g.quant](g, x, name, source);
  return biasVector ? g.add(product, biasVector) : product;
}

/**
 * Not DynamicQuantizeMatMul, which has one scale for all rows of x: it is no faster, and what it makes of a row depends on
 * the others.
 */
function int8MatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  const { inSize } = source;
  const outSize = sum(source.outSizes);
  const parts: Initializer[] = [
    { name: `${name}.scales`, dtype: 'float32', dims: [outSize] },
    { name, dtype: 'int8', dims: [inSize, outSize] },
  ];
  const [scales, values] = g.weightFile(name, parts, { kind: 'int8', source });
  const rows = g.quantiseRows(x);
  return g.mul(g.matMulInteger(rows.values, values!, scales!), rows.scales);
}

function floatMatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  return g.matMul(x, g.weight(name, [source.inSize, sum(source.outSizes)], { kind: 'matrix', source }));
}

function int4MatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  const { inSize } = source;
  const outSize = sum(source.outSizes);
  const blocks = Math.ceil(inSize / INT4_BLOCK);
  const parts: Initializer[] = [
    { name: `${name}.scales`, dtype: 'float32', dims: [outSize * blocks] },
    { name, dtype: 'uint8', dims: [outSize, blocks, INT4_BLOCK / 2] },
  ];
  const [scales, values] = g.weightFile(name, parts, { kind: 'int4', source });
  return g.matMulNBits(x, values!, scales!, { inSize, outSize, blockSize: INT4_BLOCK });
}

function sum(sizes: number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
