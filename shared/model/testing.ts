/** Models in memory, for tests. */
import { AiloError } from '../errors/index.ts';
import type { ModelSource, StoredDtype } from './types.ts';

/** A source over byte arrays that records every range it was asked for. */
export function memorySource(files: Record<string, Uint8Array | string>): ModelSource & { reads: string[] } {
  const reads: string[] = [];
  const bytesOf = (path: string): Uint8Array => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) throw AiloError.of('MODEL_FILE_MISSING', { path });
    return typeof file === 'string' ? new TextEncoder().encode(file) : file;
  };
  return {
    reads,
    async readFile(path, limitBytes) {
      const bytes = bytesOf(path);
      if (bytes.length > limitBytes)
        throw AiloError.of('MODEL_FILE_TOO_LARGE', { path, bytes: bytes.length, limitBytes });
      return bytes.slice();
    },
    async readRange(path, start, end) {
      reads.push(`${path} ${start}-${end}`);
      if (end > bytesOf(path).length) throw AiloError.of('MODEL_SOURCE_FAILED', { path, reason: 'it is too short' });
      return bytesOf(path).slice(start, end);
    },
    async size(path) {
      return bytesOf(path).length;
    },
  };
}

export interface TestTensor {
  dtype: StoredDtype;
  shape: number[];
  bytes: Uint8Array;
}

/** A safetensors file of the tensors, in their order. */
export function safetensorsFile(tensors: Record<string, TestTensor>): Uint8Array<ArrayBuffer> {
  let at = 0;
  const header: Record<string, unknown> = {};
  for (const [name, { dtype, shape, bytes }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  return rawSafetensors(JSON.stringify(header), ...Object.values(tensors).map((tensor) => tensor.bytes));
}

/** Any header text followed by any data. */
export function rawSafetensors(header: string, ...data: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const json = new TextEncoder().encode(header);
  const file = new Uint8Array(8 + json.length + data.reduce((sum, bytes) => sum + bytes.length, 0));
  new DataView(file.buffer).setBigUint64(0, BigInt(json.length), true);
  file.set(json, 8);
  let at = 8 + json.length;
  for (const bytes of data) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

export function f32(...values: number[]): TestTensor {
  return { dtype: 'F32', shape: [values.length], bytes: new Uint8Array(Float32Array.from(values).buffer) };
}
