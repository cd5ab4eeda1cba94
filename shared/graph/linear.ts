import type { GraphBuilder, Value } from './builder.ts';
import { INT4_BLOCK, INT4_MIN_INPUTS, MAX_MATRIX_BYTES } from './limits.ts';
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
 * quantises x too, int4 (MatMulNBits) only the weights, and those of small matrices to 8 bits. A row of the result
 * depends on its row of x alone, not on which rows are computed with it.
 */
export function linear(g: GraphBuilder, x: Value, matrix: Linear): Value {
  const blocks = inBlocks(g, matrix);
  if (blocks.length > 1) return g.concat(...blocks.map((block) => linear(g, x, block)));
  const { name, source, bias } = matrix;
  const outSize = sum(source.outSizes);
  const biasVector = bias && g.weight(`${name}.bias`, [outSize], biasRecipe(source, bias));
  const product = { f32: floatMatMul, int8: int8MatMul, int4: blockMatMul }[g.quant](g, x, name, source);
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

function blockMatMul(g: GraphBuilder, x: Value, name: string, source: MatrixSource): Value {
  const { inSize, part } = source;
  const outSize = sum(source.outSizes);
  const blocks = Math.ceil(inSize / INT4_BLOCK);
  const allInputs = part?.axis === 'in' ? part.of : inSize;
  const bits = allInputs < INT4_MIN_INPUTS ? 8 : 4;
  const parts: Initializer[] = [
    { name: `${name}.scales`, dtype: 'float32', dims: [outSize * blocks] },
    { name, dtype: 'uint8', dims: [outSize, blocks, (INT4_BLOCK * bits) / 8] },
  ];
  const [scales, values] = g.weightFile(name, parts, { kind: bits === 8 ? 'int8Blocks' : 'int4', source });
  return g.matMulNBits(x, values!, scales!, { inSize, outSize, bits, blockSize: INT4_BLOCK });
}

function sum(sizes: number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
