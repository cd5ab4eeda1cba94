import { MAX_CHUNK_BYTES } from './limits.ts';
import type { ModelSource } from './types.ts';

/** A file of so many bytes in parts of at most MAX_CHUNK_BYTES, in order. Throws the source's errors. */
export async function* readParts(
  source: Pick<ModelSource, 'readRange'>,
  { path, bytes }: { path: string; bytes: number },
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let start = 0; start < bytes; start += MAX_CHUNK_BYTES) {
    yield await source.readRange(path, start, Math.min(bytes, start + MAX_CHUNK_BYTES), signal);
  }
}
