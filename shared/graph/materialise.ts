import { AiloError } from '../errors/index.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { INT4_BLOCK } from './limits.ts';
import { pieces, strips } from './pieces.ts';
import {
  growMaxima,
  int8Scales,
  writeInt4,
  writeInt8,
  writeInt8Blocks,
  writeInt8Rows,
  writeTransposed,
} from './quantise.ts';
import { ropeTable } from './rope-tables.ts';
import type { MatrixSource, WeightRecipe, WeightSpec } from './types.ts';

/**
 * The bytes of one external data file, little-endian, `weight.byteLength` of them; beside them only a strip of a tensor
 * is in memory. Throws TENSOR_MISSING, TENSOR_INVALID (its shape is not what the configuration says; checked before it
 * is read) and the source's errors.
 */
export async function materialise(
  weight: WeightSpec,
  weights: WeightReader,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { recipe } = weight;
  const file = new ArrayBuffer(weight.byteLength);
  switch (recipe.kind) {
    case 'rope': {
      const tables = (['cos', 'sin'] as const).map((part) => ropeTable(config, part, recipe.positions));
      const values = new Float32Array(file);
      for (const [index, table] of tables.entries()) values.set(table, index * table.length);
      break;
    }
    case 'copy':
      await copy(new Float32Array(file), recipe, weights, signal);
      break;
    case 'rows':
      await quantiseRows(file, recipe, weights, signal);
      break;
    case 'matrix':
      await transpose(new Float32Array(file), recipe.source, weights, signal);
      break;
    case 'int8':
      await int8(file, recipe.source, weights, signal);
      break;
    case 'int4':
      await inBlocks(writeInt4, file, recipe.source, weights, signal);
      break;
    case 'int8Blocks':
      await inBlocks(writeInt8Blocks, file, recipe.source, weights, signal);
  }
  return new Uint8Array(file);
}

async function copy(
  file: Float32Array,
  { tensors, part }: WeightRecipe & { kind: 'copy' },
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const counts = tensors.map((name) => weights.info(name).shape.reduce((product, size) => product * size, 1));
  const needed = part ? part.of * tensors.length : file.length;
  if (counts.reduce((sum, count) => sum + count, 0) !== needed) {
    const reason = `it has ${counts.join(' + ')} values where the configuration needs ${needed}`;
    throw AiloError.of('TENSOR_INVALID', { name: tensors.join(', '), reason });
  }
  let at = 0;
  for (const [index, name] of tensors.entries()) {
    const [rows = 1] = weights.info(name).shape;
    const range = part ? { start: part.start, end: part.start + part.size } : { start: 0, end: rows };
    for await (const { data } of strips(name, { ...range, width: counts[index]! / rows }, weights, signal)) {
      file.set(data, at);
      at += data.length;
    }
  }
}

/** A tensor [rows, width] as the matrix of `rows` outputs that it is stored as: scales, then int8 as they lie there. */
async function quantiseRows(
  file: ArrayBuffer,
  { tensor, rows, width }: WeightRecipe & { kind: 'rows' },
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const scales = new Float32Array(file, 0, rows);
  const values = new Int8Array(file, 4 * rows);
  const source: MatrixSource = { tensors: [tensor], layout: 'out-in', inSize: width, outSizes: [rows] };
  for await (const piece of pieces(source, weights, signal)) {
    growMaxima(scales, piece);
    int8Scales(scales.subarray(piece.firstOut, piece.firstOut + piece.outSize));
    writeInt8Rows(values, piece, scales);
  }
}

/** float32 [in, out]. */
async function transpose(
  file: Float32Array,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const width = outSize(source);
  for await (const piece of pieces(source, weights, signal)) writeTransposed(file, width, piece);
}

/** Scales float32 [out], then values int8 [in, out]. */
async function int8(
  file: ArrayBuffer,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const width = outSize(source);
  const scales = new Float32Array(file, 0, width);
  const values = new Int8Array(file, 4 * width);
  if (source.layout === 'out-in') {
    for await (const piece of pieces(source, weights, signal)) {
      growMaxima(scales, piece);
      int8Scales(scales.subarray(piece.firstOut, piece.firstOut + piece.outSize));
      writeInt8(values, width, piece, scales);
    }
    return;
  }
  // What an output's largest weight is shows at the end of the matrix only: it is read twice.
  for await (const piece of pieces(source, weights, signal)) growMaxima(scales, piece);
  int8Scales(scales);
  for await (const piece of pieces(source, weights, signal)) writeInt8(values, width, piece, scales);
}

/** Scales float32 [out, blocks], then the blocks' values. */
async function inBlocks(
  write: typeof writeInt4,
  file: ArrayBuffer,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<void> {
  const blocks = Math.ceil(source.inSize / INT4_BLOCK);
  const scales = new Float32Array(file, 0, outSize(source) * blocks);
  const values = new Uint8Array(file, scales.byteLength);
  for await (const piece of pieces(source, weights, signal)) write(scales, values, blocks, piece);
}

function outSize({ outSizes }: MatrixSource): number {
  return outSizes.reduce((sum, size) => sum + size, 0);
}
