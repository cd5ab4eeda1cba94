/** A model's weights as content-addressed chunks: f32 little-endian, cut every CHUNK_BYTES, each known by its SHA-256. */
import * as v from 'valibot';
import { sha256Hex } from '../../bytes/sha256.ts';
import { throwIfCancelled } from '../../errors/cancelled.ts';
import { AiloError } from '../../errors/index.ts';
import type { ChunkStore } from '../../model/types.ts';
import { bytesOf } from './files.ts';
import { CHUNK_BYTES, MAX_CHUNKS } from './limits.ts';

const ITEM_BYTES = Float32Array.BYTES_PER_ELEMENT;

export const WeightChunks = v.pipe(
  v.strictObject({
    values: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    chunkBytes: v.pipe(
      v.number(),
      v.integer(),
      v.minValue(ITEM_BYTES),
      v.maxValue(CHUNK_BYTES),
      v.multipleOf(ITEM_BYTES),
    ),
    /** SHA-256 (hex) of each chunk; the last may be shorter. */
    hashes: v.pipe(v.array(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'not a SHA-256'))), v.maxLength(MAX_CHUNKS)),
  }),
  v.check(
    ({ values, chunkBytes, hashes }) => hashes.length === Math.ceil((values * ITEM_BYTES) / chunkBytes),
    'there are not as many chunks as the values need',
  ),
);
export type WeightChunks = v.InferOutput<typeof WeightChunks>;

/** Names weights: SHA-256 (hex) over the hashes of their chunks, each on a line. */
export function nameOfWeights({ hashes }: WeightChunks): Promise<string> {
  return sha256Hex(new TextEncoder().encode(hashes.map((hash) => `${hash}\n`).join('')));
}

export interface ChunkSource {
  store: ChunkStore;
  /** From elsewhere, where the store does not have it. */
  fetch(hash: string, signal?: AbortSignal): Promise<Uint8Array>;
  /** What the weights are of, for people. */
  model: string;
}

/**
 * The weights in order, a chunk at a time; the next is looked up while one is used. What is fetched is checked before it
 * is stored, and what is stored whenever it is read. Throws CHUNK_HASH_MISMATCH, CANCELLED and what `fetch` throws.
 */
export async function* readChunks(
  chunks: WeightChunks,
  source: ChunkSource,
  signal?: AbortSignal,
): AsyncGenerator<Float32Array, void, undefined> {
  const begin = (index: number): Promise<Uint8Array> | undefined => {
    if (index >= chunks.hashes.length) return undefined;
    const loading = loadChunk(chunks, index, source, signal);
    loading.catch(() => {});
    return loading;
  };
  let next = begin(0);
  for (let index = 0; next; index++) {
    throwIfCancelled(signal);
    const bytes = await next;
    next = begin(index + 1);
    const aligned = bytes.byteOffset % ITEM_BYTES === 0 ? bytes : bytes.slice();
    yield new Float32Array(aligned.buffer, aligned.byteOffset, aligned.length / ITEM_BYTES);
  }
}

/** Cuts weights into chunks; `put` gets each with its hash. */
export async function writeChunks(
  parts: Iterable<Float32Array>,
  put: (hash: string, bytes: Uint8Array) => Promise<void>,
  chunkBytes = CHUNK_BYTES,
): Promise<WeightChunks> {
  const hashes: string[] = [];
  let [values, filled, chunk] = [0, 0, new Uint8Array(chunkBytes)];
  const close = async () => {
    const bytes = chunk.subarray(0, filled);
    const hash = await sha256Hex(bytes);
    await put(hash, bytes);
    hashes.push(hash);
    [filled, chunk] = [0, new Uint8Array(chunkBytes)];
  };
  for (const part of parts) {
    const bytes = bytesOf(part);
    values += part.length;
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + chunkBytes - filled);
      chunk.set(piece, filled);
      filled += piece.length;
      at += piece.length;
      if (filled === chunkBytes) await close();
    }
  }
  if (filled > 0) await close();
  return { values, chunkBytes, hashes };
}

async function loadChunk(
  { values, chunkBytes, hashes }: WeightChunks,
  index: number,
  { store, fetch, model }: ChunkSource,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const hash = hashes[index]!;
  const length = Math.min(chunkBytes, values * ITEM_BYTES - index * chunkBytes);
  // The store is a cache: when it fails, the price is another download.
  const kept = await store.get(hash).catch(() => undefined);
  if (kept?.length === length) return kept;
  const bytes = await fetch(hash, signal);
  if (bytes.length !== length || (await sha256Hex(bytes)) !== hash) {
    throw AiloError.of('CHUNK_HASH_MISMATCH', { path: model, chunk: index });
  }
  await store.put(hash, bytes, model).catch(() => undefined);
  return bytes;
}
