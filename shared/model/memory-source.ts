import { AiloError } from '../errors/index.ts';
import type { ModelSource } from './types.ts';

/** A model whose files are in memory. What it hands out is its own copy. */
export function memorySource(files: Readonly<Record<string, Uint8Array>>): ModelSource {
  const bytesOf = (path: string): Uint8Array => {
    const file = Object.hasOwn(files, path) ? files[path] : undefined;
    if (file === undefined) throw AiloError.of('MODEL_FILE_MISSING', { path });
    return file;
  };
  return {
    async readFile(path, limitBytes) {
      const bytes = bytesOf(path);
      if (bytes.length > limitBytes) {
        throw AiloError.of('MODEL_FILE_TOO_LARGE', { path, bytes: bytes.length, limitBytes });
      }
      return bytes.slice();
    },
    async readRange(path, start, end) {
      if (end > bytesOf(path).length) throw AiloError.of('MODEL_SOURCE_FAILED', { path, reason: 'it is too short' });
      return bytesOf(path).slice(start, end);
    },
    async size(path) {
      return bytesOf(path).length;
    },
  };
}
