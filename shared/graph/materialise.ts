import { AiloError } from '../errors/index.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { int4Scales, int4Values, int8Scales, type Matrix, writeInt8, writeTransposed } from './quantise.ts';
import { ropeTable } from './rope-tables.ts';
import type { MatrixSource, WeightSpec } from './types.ts';

/**
 * The bytes of one initializer, little-endian, `weight.byteLength` of them. Throws TENSOR_MISSING, TENSOR_INVALID (its
 * shape is not what the configuration says; checked before it is read) and the source's errors.
 */
export async function materialise(
  weight: WeightSpec,
  weights: WeightReader,
  config: ModelConfig,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  const { recipe, dims } = weight;
  switch (recipe.kind) {
    case 'rope':
      return bytesOf(ropeTable(config, recipe.part, dims[0]!));
    case 'copy':
      return copied(weight, recipe.tensors, weights, signal);
    case 'matrix':
      return bytesOf(
        await assembled(recipe.source, weights, signal, new Float32Array(weight.byteLength / 4), writeTransposed),
      );
    case 'int8':
      return recipe.part === 'values'
        ? bytesOf(await assembled(recipe.source, weights, signal, new Int8Array(weight.byteLength), writeInt8))
        : joined(weight, recipe.source, weights, signal, int8Scales);
    case 'int4':
      return joined(weight, recipe.source, weights, signal, recipe.part === 'values' ? int4Values : int4Scales);
  }
}

async function copied(
  { byteLength }: WeightSpec,
  tensors: string[],
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const counts = tensors.map((name) => weights.info(name).shape.reduce((product, size) => product * size, 1));
  if (4 * counts.reduce((sum, count) => sum + count, 0) !== byteLength) {
    const reason = `it has ${counts.join(' + ')} values where the configuration needs ${byteLength / 4}`;
    throw AiloError.of('TENSOR_INVALID', { name: tensors.join(', '), reason });
  }
  if (tensors.length === 1) return bytesOf(await weights.readFloat32(tensors[0]!, signal));
  const target = new Uint8Array(byteLength);
  let offset = 0;
  for (const name of tensors) {
    const bytes = bytesOf(await weights.readFloat32(name, signal));
    target.set(bytes, offset);
    offset += bytes.length;
  }
  return target;
}

/** [in, out] from tensors side by side, each written into its columns. */
async function assembled<T extends Float32Array | Int8Array>(
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
  target: T,
  write: (target: T, width: number, column: number, matrix: Matrix) => void,
): Promise<T> {
  const width = source.outSizes.reduce((sum, size) => sum + size, 0);
  let column = 0;
  for (const [index, outSize] of source.outSizes.entries()) {
    write(target, width, column, await readMatrix(source, index, weights, signal));
    column += outSize;
  }
  return target;
}

/** What has the outputs as its first dimension: the parts simply follow each other. */
async function joined(
  { byteLength }: WeightSpec,
  source: MatrixSource,
  weights: WeightReader,
  signal: AbortSignal | undefined,
  part: (matrix: Matrix) => Float32Array | Uint8Array,
): Promise<Uint8Array> {
  const target = new Uint8Array(byteLength);
  let offset = 0;
  for (const index of source.outSizes.keys()) {
    const bytes = bytesOf(part(await readMatrix(source, index, weights, signal)));
    target.set(bytes, offset);
    offset += bytes.length;
  }
  return target;
}

async function readMatrix(
  { tensors, layout, inSize, outSizes }: MatrixSource,
  index: number,
  weights: WeightReader,
  signal: AbortSignal | undefined,
): Promise<Matrix> {
  const [name, outSize] = [tensors[index]!, outSizes[index]!];
  const expected = layout === 'out-in' ? [outSize, inSize] : [inSize, outSize];
  const { shape } = weights.info(name);
  if (shape.length !== 2 || shape[0] !== expected[0] || shape[1] !== expected[1]) {
    const reason = `its shape is [${shape}] where the configuration needs [${expected}]`;
    throw AiloError.of('TENSOR_INVALID', { name, reason });
  }
  const data = await weights.readFloat32(name, signal);
  return layout === 'out-in'
    ? { data, inSize, outSize, inStride: 1, outStride: inSize }
    : { data, inSize, outSize, inStride: outSize, outStride: 1 };
}

function bytesOf(array: Float32Array | Int8Array | Uint8Array): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}
