import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { bfloatToFloat, halfToFloat } from '../tensor/half.ts';
import { parseJson } from './json.ts';
import { MAX_SHARDS, MAX_WEIGHT_INDEX_BYTES } from './limits.ts';
import { ifPresent } from './optional.ts';
import { HEADER_PREFIX_BYTES, parseHeader, parseHeaderLength } from './safetensors.ts';
import type { ModelSource, TensorInfo, WeightReader } from './types.ts';

export const SINGLE_FILE = 'model.safetensors';
export const INDEX_FILE = 'model.safetensors.index.json';
const PREFIXES = ['model.', 'transformer.'];

const WeightIndex = v.object({
  weight_map: v.record(
    v.string(),
    v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/, 'not a file name')),
  ),
});

/**
 * Opens `model.safetensors`, or the shards of `model.safetensors.index.json`; reads only the headers. Throws
 * SAFETENSORS_HEADER_INVALID, TENSOR_MISSING (the index promises what a shard lacks) and the source's errors.
 */
export async function openWeights(source: ModelSource, signal?: AbortSignal): Promise<WeightReader> {
  const tensors = (await hasFile(source, SINGLE_FILE, signal))
    ? await readHeader(source, SINGLE_FILE, signal)
    : await readShardHeaders(source, signal);
  return readerOf(source, tensors);
}

/** As `openWeights`, of one file, with the names of its tensors. */
export async function openWeightsFile(
  source: ModelSource,
  path: string,
  signal?: AbortSignal,
): Promise<{ names: string[]; weights: WeightReader }> {
  const tensors = await readHeader(source, path, signal);
  return { names: [...tensors.keys()], weights: readerOf(source, tensors) };
}

function readerOf(source: ModelSource, tensors: Map<string, TensorInfo>): WeightReader {
  const info = (name: string): TensorInfo => {
    const found = resolve(tensors, name);
    if (found === undefined) throw AiloError.of('TENSOR_MISSING', { name });
    return found;
  };
  return {
    has: (name) => resolve(tensors, name) !== undefined,
    info,
    readFloat32: (name, signal) => readFloat32(source, name, info(name), signal),
    readFloat32Rows: async (name, start, end, signal) =>
      readFloat32(source, name, rowsOf(name, info(name), start, end), signal),
  };
}

function resolve(tensors: Map<string, TensorInfo>, name: string): TensorInfo | undefined {
  const prefix = PREFIXES.find((known) => name.startsWith(known));
  const bare = prefix === undefined ? name : name.slice(prefix.length);
  for (const candidate of [name, bare, ...PREFIXES.map((known) => known + bare)]) {
    const found = tensors.get(candidate);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where entries [start, end) of the first dimension lie. */
function rowsOf(name: string, info: TensorInfo, start: number, end: number): TensorInfo {
  const [rows = 0, ...rest] = info.shape;
  if (!(0 <= start && start <= end && end <= rows)) {
    throw AiloError.of('TENSOR_INVALID', { name, reason: `it has no entries ${start} to ${end}, but ${rows}` });
  }
  const rowBytes = rows === 0 ? 0 : (info.end - info.start) / rows;
  const at = (row: number) => info.start + row * rowBytes;
  return { ...info, shape: [end - start, ...rest], start: at(start), end: at(end) };
}

async function readFloat32(
  source: ModelSource,
  name: string,
  { path, dtype, start, end }: TensorInfo,
  signal?: AbortSignal,
): Promise<Float32Array> {
  if (dtype !== 'F32' && dtype !== 'F16' && dtype !== 'BF16') {
    throw AiloError.of('TENSOR_INVALID', { name, reason: `its type ${dtype} is not F32, F16 or BF16` });
  }
  const bytes = aligned(await source.readRange(path, start, end, signal), dtype === 'F32' ? 4 : 2);
  if (dtype === 'F32') return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
  const halves = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2);
  return dtype === 'F16' ? halfToFloat(halves) : bfloatToFloat(halves);
}

/** Typed arrays need an aligned offset; a source may return a view of a larger buffer. */
function aligned(bytes: Uint8Array, alignment: number): Uint8Array {
  return bytes.byteOffset % alignment === 0 ? bytes : new Uint8Array(bytes);
}

/** Tensor names → shard names of an index. Throws SAFETENSORS_HEADER_INVALID. */
export function parseWeightIndex(bytes: Uint8Array): Record<string, string> {
  const { weight_map } = parseJson(WeightIndex, bytes, invalidIndex);
  const shards = new Set(Object.values(weight_map)).size;
  if (shards > MAX_SHARDS) throw invalidIndex(`it names ${shards} shards, more than the ${MAX_SHARDS} allowed`);
  return weight_map;
}

async function readShardHeaders(source: ModelSource, signal?: AbortSignal): Promise<Map<string, TensorInfo>> {
  const shardOf = parseWeightIndex(await readIndex(source, signal));
  const headers = new Map<string, Map<string, TensorInfo>>();
  for (const shard of new Set(Object.values(shardOf))) headers.set(shard, await readHeader(source, shard, signal));
  const tensors = new Map<string, TensorInfo>();
  for (const [name, shard] of Object.entries(shardOf)) {
    const info = headers.get(shard)?.get(name);
    if (info === undefined) throw AiloError.of('TENSOR_MISSING', { name });
    tensors.set(name, info);
  }
  return tensors;
}

async function readIndex(source: ModelSource, signal?: AbortSignal): Promise<Uint8Array> {
  if (!(await hasFile(source, INDEX_FILE, signal))) throw AiloError.of('MODEL_FILE_MISSING', { path: SINGLE_FILE });
  return source.readFile(INDEX_FILE, MAX_WEIGHT_INDEX_BYTES, signal);
}

async function readHeader(source: ModelSource, path: string, signal?: AbortSignal): Promise<Map<string, TensorInfo>> {
  const fileBytes = await source.size(path, signal);
  const prefix = await source.readRange(path, 0, Math.min(HEADER_PREFIX_BYTES, fileBytes), signal);
  const end = HEADER_PREFIX_BYTES + parseHeaderLength(prefix, fileBytes, path);
  return parseHeader(await source.readRange(path, HEADER_PREFIX_BYTES, end, signal), fileBytes, path);
}

async function hasFile(source: ModelSource, path: string, signal?: AbortSignal): Promise<boolean> {
  return (await ifPresent(source.size(path, signal))) !== undefined;
}

function invalidIndex(reason: string): AiloError {
  return AiloError.of('SAFETENSORS_HEADER_INVALID', { path: INDEX_FILE, reason });
}
