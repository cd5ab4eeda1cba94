import type { GraphBuilder, Value } from './builder.ts';
import { INT4_BLOCK, MAX_MATRIX_BYTES } from './limits.ts';
import type { Initializer, MatrixSource, Quant, WeightRecipe } from './types.ts';

/** Of a weight; those in blocks have a float32 scale for each block. */
const BITS: Readonly<Record<Quant, number>> = { f32: 32, int8: 8, int4: 4 + 32 / INT4_BLOCK };

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
export function linear(g: GraphBuilder, x: Value, matrix: Linear): Value {
  const blocks = inBlocks(g, matrix);
  if (blocks.length > 1) return g.concat(...blocks.map((block) => linear(g, x, block)));
  const { name, source, bias } = matrix;
  const { inSize } = source;
  const outSize = sum(source.outSizes);
  const biasVector = bias && g.weight(`${name}.bias`, [outSize], biasRecipe(source, bias));
  if (g.quant === 'int8') {
    const parts: Initializer[] = [
      { name: `${name}.scales`, dtype: 'float32', dims: [outSize] },
      { name, dtype: 'int8', dims: [inSize, outSize] },
    ];
    const [scales, values] = g.weightFile(name, parts, { kind: 'int8', source });
    return g.dynamicQuantizeMatMul(x, values!, scales!, biasVector);
  }
  const product = g.quant === 'f32' ? floatMatMul(g, x, name, source) : int4MatMul(g, x, name, source);
  return biasVector ? g.add(product, biasVector) : product;
}

/** A matrix that is too large for one piece, in blocks of outputs as equal as can be. */
function inBlocks(g: GraphBuilder, matrix: Linear): Linear[] {
  const { name, source } = matrix;
  const { tensors, inSize, outSizes, part } = source;
  const outSize = sum(outSizes);
  const count = Math.ceil((BITS[g.quant] * inSize * outSize) / 8 / MAX_MATRIX_BYTES);
  if (count <= 1 || tensors.length > 1 || part?.axis === 'in') return [matrix];
  const edge = (block: number) => Math.floor((block * outSize) / count);
  const [start, of] = part ? [part.start, part.of] : [0, outSize];
  return Array.from({ length: count }, (_, block) => ({
    ...matrix,
    name: `${name}.${block}`,
    source: {
      ...source,
      outSizes: [edge(block + 1) - edge(block)],
      part: { axis: 'out', start: start + edge(block), of },
    },
  }));
}

/** Where the matrix is a part of the outputs, so is its bias. */
function biasRecipe({ part, outSizes }: MatrixSource, tensors: string[]): WeightRecipe {
  const isPart = part?.axis === 'out';
  return { kind: 'copy', tensors, ...(isPart && { part: { start: part.start, size: outSizes[0]!, of: part.of } }) };
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
