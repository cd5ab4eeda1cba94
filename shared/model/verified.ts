import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError } from '../errors/index.ts';
import { coalesce } from './coalesce.ts';
import { MAX_PARALLEL_CHUNKS } from './limits.ts';
import type { ManifestFile, ModelManifest } from './manifest.ts';
import type { Sources } from './sources.ts';
import type { ChunkStore, ModelSource } from './types.ts';

/**
 * The files of a manifest, from sources that are not trusted. Reads only the chunks that overlap what is asked for;
 * each comes from the store, or from the first source that has it right and is then stored. Throws
 * CHUNK_HASH_MISMATCH (nothing was stored), MODEL_FILE_MISSING and the first source's errors.
 */
export function verifiedSource(manifest: ModelManifest, sources: Sources, store: ChunkStore): ModelSource {
  const files = new Map(manifest.files.map((file) => [file.path, file]));
  const once = coalesce<Uint8Array>();
  const { chunkBytes } = manifest;

  const fileAt = (path: string): ManifestFile => {
    const file = files.get(path);
    if (file === undefined) throw AiloError.of('MODEL_FILE_MISSING', { path });
    return file;
  };

  const loadChunk = async (file: ManifestFile, chunk: number, signal: AbortSignal): Promise<Uint8Array> => {
    const hash = file.chunks[chunk]!;
    const start = chunk * chunkBytes;
    const end = Math.min(file.size, start + chunkBytes);
    // The store is a cache: when it fails (a full disk, say), the price is another download, not the model.
    const kept = await store.get(hash).catch(() => undefined);
    if (kept?.length === end - start) return kept;
    const bytes = await sources.try(async (source) => {
      const read = await source.readRange(file.path, start, end, signal);
      if ((await sha256Hex(read)) !== hash) throw AiloError.of('CHUNK_HASH_MISMATCH', { path: file.path, chunk });
      return read;
    }, signal);
    await store.put(hash, bytes, manifest.id).catch(() => undefined);
    return bytes;
  };

  const readRange = async (path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> => {
    const file = fileAt(path);
    if (!(start >= 0 && start <= end && end <= file.size)) {
      throw AiloError.of('MODEL_SOURCE_FAILED', { path, reason: `it has only ${file.size} bytes` });
    }
    const bytes = new Uint8Array(end - start);
    const first = Math.floor(start / chunkBytes);
    await inParallel(first, Math.ceil(end / chunkBytes), signal, async (chunk, signal) => {
      const data = await once(file.chunks[chunk]!, (signal) => loadChunk(file, chunk, signal), signal);
      const chunkStart = chunk * chunkBytes;
      const from = Math.max(start, chunkStart);
      bytes.set(data.subarray(from - chunkStart, end - chunkStart), from - start);
    });
    return bytes;
  };

  return {
    readRange,
    async readFile(path, limitBytes, signal) {
      const bytes = fileAt(path).size;
      if (bytes > limitBytes) throw AiloError.of('MODEL_FILE_TOO_LARGE', { path, bytes, limitBytes });
      return readRange(path, 0, bytes, signal);
    },
    async size(path) {
      return fileAt(path).size;
    },
  };
}

/** Does `work` for `from` … `to - 1`, MAX_PARALLEL_CHUNKS at a time; the first failure stops the rest. */
async function inParallel(
  from: number,
  to: number,
  signal: AbortSignal | undefined,
  work: (index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  let next = from;
  const worker = async () => {
    while (next < to) await work(next++, either);
  };
  const workers = Array.from({ length: Math.min(MAX_PARALLEL_CHUNKS, to - from) }, worker);
  try {
    await Promise.all(workers);
  } catch (error) {
    failed.abort();
    await Promise.allSettled(workers);
    throw error;
  }
}

/** Chunks in memory, for tests and for a run that keeps nothing. */
export function memoryChunkStore(): ChunkStore & { readonly chunks: Map<string, Uint8Array> } {
  const chunks = new Map<string, Uint8Array>();
  return {
    chunks,
    get: async (hash) => chunks.get(hash),
    put: async (hash, bytes) => {
      chunks.set(hash, new Uint8Array(bytes));
    },
  };
}
