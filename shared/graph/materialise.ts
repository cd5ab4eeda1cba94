import { AiloError } from '../errors/index.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { STRIP_VALUES } from './limits.ts';
import { int4Scales, int4Values, int8Scales, type Matrix, writeInt8, writeTransposed } from './quantise.ts';
import { ropeTable } from './rope-tables.ts';
import type { MatrixSource, WeightRecipe, WeightSpec } from './types.ts';

/**
 * The bytes of one external data file, little-endian, `weight.byteLength` of them. Throws TENSOR_MISSING, TENSOR_INVALID (its
 * shape is not what the configuration says; checked before it is read) and the source's errors.
 */
export async function materialise(
  weight: WeightSpec,
  weights: WeightReader,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { recipe } = weight;
  switch (recipe.kind) {
    case 'rope': {
      const tables = (['cos', 'sin'] as const).map((part) => ropeTable(config, part, recipe.positions));
      return concatenated(weight, tables);
    }
    case 'copy':
      return copied(weight, recipe, weights, signal);
    case 'matrix':
      return transposed(weight, recipe.source, weights, signal);
    case 'int8':
      return int8(weight, recipe.source, weights, signal);
    case 'int4':
      return int4(weight, recipe.source, weights, signal);
  }
}

async function copied(
  { byteLength }: WeightSpec,
  { tensors, part }: WeightRecipe & { kind: 'copy' },
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const counts = tensors.map((name) => weights.info(name).shape.reduce((product, size) => product * size, 1));
  const needed = part ? part.of * tensors.length : byteLength / 4;
  if (counts.reduce((sum, count) => sum + count, 0) !== needed) {
    const reason = `it has ${counts.join(' + ')} values where the configuration needs ${needed}`;
    throw AiloError.of('TENSOR_INVALID', { name: tensors.join(', '), reason });
  }
  if (part) {
    const { start, size } = part;
    const read = (name: string) => weights.readFloat32Rows(name, start, start + size, signal);
    return concatenated({ byteLength }, await Promise.all(tensors.map(read)));
  }
  if (tensors.length === 1) return bytesOf(await weights.readFloat32(tensors[0]!, signal));
  const parts: Float32Array[] = [];
  for (const name of tensors) parts.push(await weights.readFloat32(name, signal));
  return concatenated({ byteLength }, parts);
}

/** float32 [in, out]. */
async function transposed(
  { byteLength }: WeightSpec,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const values = new Float32Array(byteLength / 4);
  for await (const { matrix, column, width } of matrices(source, weights, signal)) {
    writeTransposed(values, width, column, matrix);
  }
  return bytesOf(values);
}

/** Scales float32 [out], then values int8 [in, out]. */
async function int8(
  { byteLength }: WeightSpec,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const file = new ArrayBuffer(byteLength);
  for await (const { matrix, column, width } of matrices(source, weights, signal)) {
    const scales = int8Scales(matrix);
    new Float32Array(file, 0, width).set(scales, column);
    writeInt8(new Int8Array(file, 4 * width), width, column, matrix, scales);
  }
  return new Uint8Array(file);
}

/** Scales float32 [out, blocks], then nibbles [out, blocks, 16]: the parts of a matrix follow each other in both. */
async function int4(
  weight: WeightSpec,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const [allScales, allValues]: [Float32Array[], Uint8Array[]] = [[], []];
  for await (const { matrix } of matrices(source, weights, signal)) {
    const scales = int4Scales(matrix);
    allScales.push(scales);
    allValues.push(int4Values(matrix, scales));
  }
  return concatenated(weight, [...allScales, ...allValues]);
}

/** The tensors of a matrix in turn, each with the columns [column, column + its outputs) of `width` that it fills. */
async function* matrices(
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): AsyncGenerator<{ matrix: Matrix; column: number; width: number }> {
  const width = source.outSizes.reduce((sum, size) => sum + size, 0);
  let column = 0;
  for (const index of source.tensors.keys()) {
    const matrix = await readMatrix(source, index, weights, signal);
    yield { matrix, column, width };
    column += matrix.outSize;
  }
}

function concatenated(
  { byteLength }: Pick<WeightSpec, 'byteLength'>,
  parts: (Float32Array | Uint8Array)[],
): Uint8Array {
  const file = new Uint8Array(byteLength);
  let offset = 0;
  for (const part of parts) {
    file.set(bytesOf(part), offset);
    offset += part.byteLength;
  }
  return file;
}

async function readMatrix(
  { tensors, layout, inSize, outSizes, part }: MatrixSource,
  index: number,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const [name, outSize] = [tensors[index]!, outSizes[index]!];
  const axes: ('in' | 'out')[] = layout === 'out-in' ? ['out', 'in'] : ['in', 'out'];
  const taken = { in: inSize, out: outSize };
  const expected = axes.map((axis) => (part?.axis === axis ? part.of : taken[axis]));
  const { shape } = weights.info(name);
  if (shape.length !== 2 || shape[0] !== expected[0] || shape[1] !== expected[1]) {
    const reason = `its shape is [${shape}] where the configuration needs [${expected}]`;
    throw AiloError.of('TENSOR_INVALID', { name, reason });
  }
  const [first, second] = axes as ['in' | 'out', 'in' | 'out'];
  const read = (start: number, end: number) => weights.readFloat32Rows(name, start, end, signal);
  const data = !part
    ? await weights.readFloat32(name, signal)
    : part.axis === first
      ? await read(part.start, part.start + taken[first])
      : await columns(part.start, taken[second], expected as [number, number], read);
  return layout === 'out-in'
    ? { data, inSize, outSize, inStride: 1, outStride: inSize }
    : { data, inSize, outSize, inStride: outSize, outStride: 1 };
}

/**
 * Columns [start, start + count) of a row-major matrix of `shape`, as [rows, count]. They lie strewn all over it, so it
 * is read from beginning to end, in strips of which only they are kept.
 */
async function columns(
  start: number,
  count: number,
  [rows, width]: [number, number],
  read: (start: number, end: number) => Promise<Float32Array>,
): Promise<Float32Array> {
  const kept = new Float32Array(rows * count);
  const stripRows = Math.max(1, Math.floor(STRIP_VALUES / width));
  for (let from = 0; from < rows; from += stripRows) {
    const to = Math.min(rows, from + stripRows);
    const strip = await read(from, to);
    for (let row = from; row < to; row++) {
      const at = (row - from) * width + start;
      kept.set(strip.subarray(at, at + count), row * count);
    }
  }
  return kept;
}

function bytesOf(array: Float32Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
