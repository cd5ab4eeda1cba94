import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { parseJson } from './json.ts';
import { MAX_SAFETENSORS_HEADER_BYTES, MAX_TENSOR_ELEMENTS, MAX_TENSOR_RANK } from './limits.ts';
import { STORED_DTYPES, type StoredDtype, type TensorInfo } from './types.ts';

/** Bytes before the JSON: its length, u64 little-endian. */
export const HEADER_PREFIX_BYTES = 8;

const BITS: Record<StoredDtype, number> = {
  F64: 64,
  F32: 32,
  F16: 16,
  BF16: 16,
  F8_E4M3: 8,
  F8_E5M2: 8,
  F8_E8M0: 8,
  F6_E2M3: 6,
  F6_E3M2: 6,
  F4: 4,
  C64: 64,
  I64: 64,
  U64: 64,
  I32: 32,
  U32: 32,
  I16: 16,
  U16: 16,
  I8: 8,
  U8: 8,
  BOOL: 8,
};

const Offset = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Entry = v.strictObject({
  dtype: v.picklist(STORED_DTYPES),
  shape: v.pipe(v.array(Offset), v.maxLength(MAX_TENSOR_RANK)),
  data_offsets: v.strictTuple([Offset, Offset]),
});
const Header = v.objectWithRest({ __metadata__: v.optional(v.record(v.string(), v.string())) }, Entry);

/**
 * Length of the JSON header, from the first 8 bytes of a file of `fileBytes`. Throws SAFETENSORS_HEADER_INVALID
 * before anybody allocates it.
 */
export function parseHeaderLength(prefix: Uint8Array, fileBytes: number, path: string): number {
  if (prefix.length < HEADER_PREFIX_BYTES) throw invalid(path, 'it is shorter than 8 bytes');
  const length = new DataView(prefix.buffer, prefix.byteOffset).getBigUint64(0, true);
  if (length > MAX_SAFETENSORS_HEADER_BYTES) {
    throw invalid(path, `its header claims ${length} bytes, more than the ${MAX_SAFETENSORS_HEADER_BYTES} allowed`);
  }
  if (Number(length) > fileBytes - HEADER_PREFIX_BYTES) {
    throw invalid(path, `its header claims ${length} bytes, but the file has only ${fileBytes}`);
  }
  return Number(length);
}

/**
 * The tensors of a file, from the JSON of its header. As in the reference implementation the tensors must fill the
 * rest of the file without holes or overlaps. Throws SAFETENSORS_HEADER_INVALID.
 */
export function parseHeader(json: Uint8Array, fileBytes: number, path: string): Map<string, TensorInfo> {
  const header = parseJson(Header, json, (reason) => invalid(path, reason));
  const dataStart = HEADER_PREFIX_BYTES + json.length;
  const tensors: [string, TensorInfo][] = [];
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const { dtype, shape, data_offsets } = entry as v.InferOutput<typeof Entry>;
    const [start, end] = data_offsets;
    if (end - start !== tensorBytes(dtype, shape)) {
      throw invalid(path, `the tensor “${name.slice(0, 100)}” has ${end - start} bytes, which is not its shape's size`);
    }
    tensors.push([name, { path, dtype, shape, start: dataStart + start, end: dataStart + end }]);
  }
  tensors.sort(([, a], [, b]) => a.start - b.start || a.end - b.end);
  let at = dataStart;
  for (const [name, { start, end }] of tensors) {
    if (start !== at) throw invalid(path, `the tensor “${name.slice(0, 100)}” overlaps or leaves a hole`);
    at = end;
  }
  if (at !== fileBytes) throw invalid(path, `its tensors end at byte ${at}, but the file has ${fileBytes}`);
  return new Map(tensors);
}

/** NaN where it is more than one tensor may have. */
function tensorBytes(dtype: StoredDtype, shape: number[]): number {
  const elements = shape.reduce((product, size) => product * size, 1);
  return elements > MAX_TENSOR_ELEMENTS ? Number.NaN : (elements * BITS[dtype]) / 8;
}

function invalid(path: string, reason: string): AiloError {
  return AiloError.of('SAFETENSORS_HEADER_INVALID', { path, reason });
}
