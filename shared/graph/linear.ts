import type { GraphBuilder, Value } from './builder.ts';
import { INT4_BLOCK } from './limits.ts';
import type { MatrixSource } from './types.ts';

export interface Linear {
  /** Of the matrix in the graph; its scales and bias get suffixes. */
  name: string;
  source: MatrixSource;
  /** Tensors of the biases, one after the other. */
  bias?: string[];
}

/**
 * x [1, n, in] → [1, n, out] through a matrix of the model, in the stage's quantisation: f32 is the reference, int8
 * (DynamicQuantizeMatMul) quantises x too, int4 (MatMulNBits) only the weights.
 */
export function linear(g: GraphBuilder, x: Value, { name, source, bias }: Linear): Value {
  const { inSize } = source;
  const outSize = sum(source.outSizes);
  const biasVector = bias && g.vector(`${name}.bias`, outSize, bias);
  if (g.quant === 'int8') {
    const values = g.weight(name, 'int8', [inSize, outSize], { kind: 'int8', part: 'values', source });
    const scales = g.weight(`${name}.scales`, 'float32', [outSize], { kind: 'int8', part: 'scales', source });
    return g.dynamicQuantizeMatMul(x, values, scales, biasVector);
  }
  const product = g.quant === 'f32' ? floatMatMul(g, x, name, source) : int4MatMul(g, x, name, source);
  return biasVector ? g.add(product, biasVector) : product;
}

function floatMatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  return g.matMul(x, g.weight(name, 'float32', [source.inSize, sum(source.outSizes)], { kind: 'matrix', source }));
}

function int4MatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  const { inSize } = source;
  const outSize = sum(source.outSizes);
  const blocks = Math.ceil(inSize / INT4_BLOCK);
  const values = g.weight(name, 'uint8', [outSize, blocks, INT4_BLOCK / 2], { kind: 'int4', part: 'values', source });
  const scales = g.weight(`${name}.scales`, 'float32', [outSize * blocks], { kind: 'int4', part: 'scales', source });
  return g.matMulNBits(x, values, scales, { inSize, outSize, blockSize: INT4_BLOCK });
}

function sum(sizes: number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
