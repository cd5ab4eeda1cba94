/** Models in memory, for tests. */
import { memorySource as inMemory } from './memory-source.ts';
import type { ModelSource, StoredDtype } from './types.ts';

/** A source over byte arrays that records every range it was asked for. */
export function memorySource(files: Record<string, Uint8Array | string>): ModelSource & { reads: string[] } {
  const reads: string[] = [];
  const encoded = Object.entries(files).map(([path, file]) => {
    return [path, typeof file === 'string' ? new TextEncoder().encode(file) : file] as const;
  });
  const source = inMemory(Object.fromEntries(encoded));
  return {
    ...source,
    reads,
    readRange(path, start, end) {
      reads.push(`${path} ${start}-${end}`);
      return source.readRange(path, start, end);
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
