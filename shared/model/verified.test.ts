import { describe, expect, it } from 'vitest';
import { AiloError } from '../errors/index.ts';
import { buildManifest, type ModelManifest } from './manifest.ts';
import { inOrder } from './sources.ts';
import { memorySource } from './testing.ts';
import type { ChunkStore, ModelSource } from './types.ts';
import { memoryChunkStore, verifiedSource } from './verified.ts';

const CHUNK = 65_536;
const noise = (length: number, seed: number) => {
  let state = seed;
  return Uint8Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state >>> 24;
  });
};
const files = { 'a.bin': noise(5 * CHUNK + 10, 1), 'b.bin': noise(10, 2), 'empty.bin': new Uint8Array() };
const options = { id: 'test', name: 'Test', paths: Object.keys(files), chunkBytes: CHUNK };
const manifestOf = (): Promise<ModelManifest> => buildManifest(memorySource(files), options);

const from = (...sources: ModelSource[]) => inOrder(sources, () => 0);

describe('verifiedSource', () => {
  it('gives every range of every file', async () => {
    const verified = verifiedSource(await manifestOf(), from(memorySource(files)), memoryChunkStore());
    const a = files['a.bin'];
    for (const [start, end] of [
      [0, a.length],
      [0, 0],
      [0, 1],
      [CHUNK - 1, CHUNK + 1],
      [CHUNK, 2 * CHUNK],
      [CHUNK + 5, CHUNK + 5],
      [5 * CHUNK + 9, 5 * CHUNK + 10],
      [123, 4 * CHUNK + 321],
    ] as const) {
      expect(Buffer.compare(await verified.readRange('a.bin', start, end), a.slice(start, end))).toBe(0);
    }
    expect(await verified.readFile('b.bin', 10)).toEqual(files['b.bin']);
    expect(await verified.readFile('empty.bin', 0)).toEqual(new Uint8Array());
    expect(await verified.size('a.bin')).toBe(a.length);
  });

  it('asks only for the chunks that overlap, and each once', async () => {
    const source = memorySource(files);
    const verified = verifiedSource(await manifestOf(), from(source), memoryChunkStore());
    const range = () => verified.readRange('a.bin', CHUNK + 1, 2 * CHUNK + 1);
    await Promise.all([range(), range(), range()]);
    await range();
    expect(source.reads.sort()).toEqual([`a.bin ${2 * CHUNK}-${3 * CHUNK}`, `a.bin ${CHUNK}-${2 * CHUNK}`]);
  });

  it('uses what another instance stored', async () => {
    const store = memoryChunkStore();
    const manifest = await manifestOf();
    await verifiedSource(manifest, from(memorySource(files)), store).readFile('a.bin', 1e6);
    expect(store.chunks.size).toBe(6);
    const offline = verifiedSource(manifest, from(memorySource({})), store);
    expect(Buffer.compare(await offline.readFile('a.bin', 1e6), files['a.bin'])).toBe(0);
  });

  it('refuses a wrong chunk, keeps nothing of it, and takes the right one afterwards', async () => {
    const manifest = await manifestOf();
    const store = memoryChunkStore();
    const wrong = files['a.bin'].slice();
    wrong[CHUNK + 7]! ^= 1;
    const lying = verifiedSource(manifest, from(memorySource({ ...files, 'a.bin': wrong })), store);
    await expect(lying.readRange('a.bin', CHUNK, 2 * CHUNK)).rejects.toMatchObject({
      code: 'CHUNK_HASH_MISMATCH',
      message: expect.stringContaining('Chunk 1 of “a.bin”'),
    });
    expect(store.chunks.size).toBe(0);
    await expect(lying.readFile('a.bin', 1e6)).rejects.toMatchObject({ code: 'CHUNK_HASH_MISMATCH' });
    expect(store.chunks.has(manifest.files[0]!.chunks[1]!)).toBe(false);
    const honest = verifiedSource(manifest, from(memorySource(files)), store);
    expect(Buffer.compare(await honest.readFile('a.bin', 1e6), files['a.bin'])).toBe(0);
  });

  it('takes a chunk that one source has wrong, or not at all, from the next', async () => {
    const wrong = files['a.bin'].slice();
    wrong[CHUNK + 7]! ^= 1;
    for (const first of [memorySource({ ...files, 'a.bin': wrong }), memorySource({})]) {
      const verified = verifiedSource(await manifestOf(), from(first, memorySource(files)), memoryChunkStore());
      expect(Buffer.compare(await verified.readFile('a.bin', 1e6), files['a.bin'])).toBe(0);
    }
  });

  it('refuses bytes of the wrong length, even from the store', async () => {
    const short: ModelSource = { ...memorySource(files), readRange: async () => new Uint8Array(3) };
    const manifest = await manifestOf();
    const verified = verifiedSource(manifest, from(short), memoryChunkStore());
    await expect(verified.readFile('b.bin', 10)).rejects.toMatchObject({ code: 'CHUNK_HASH_MISMATCH' });
    const store = memoryChunkStore();
    await store.put(manifest.files.find(({ path }) => path === 'b.bin')!.chunks[0]!, new Uint8Array(3), 'm');
    const again = verifiedSource(manifest, from(memorySource(files)), store);
    expect(await again.readFile('b.bin', 10)).toEqual(files['b.bin']);
  });

  it.each<[string, Partial<ChunkStore>]>([
    ['cannot be read', { get: () => Promise.reject(new Error('disk')) }],
    ['cannot be written', { put: () => Promise.reject(new Error('full')) }],
  ])('works without its store: it %s', async (_, broken) => {
    const verified = verifiedSource(await manifestOf(), from(memorySource(files)), {
      ...memoryChunkStore(),
      ...broken,
    });
    expect(Buffer.compare(await verified.readFile('a.bin', 1e6), files['a.bin'])).toBe(0);
  });

  it('reports what was written but errored as read all the same', async () => {
    const store = memoryChunkStore();
    const erring: ChunkStore = {
      get: store.get,
      put: async (hash, bytes) => {
        await store.put(hash, bytes, 'm');
        throw new Error('written, but');
      },
    };
    const verified = verifiedSource(await manifestOf(), from(memorySource(files)), erring);
    expect(await verified.readFile('b.bin', 10)).toEqual(files['b.bin']);
    expect(store.chunks.size).toBe(1);
  });

  it('says what is missing, too large or out of range', async () => {
    const verified = verifiedSource(await manifestOf(), from(memorySource(files)), memoryChunkStore());
    await expect(verified.size('c.bin')).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(verified.readFile('constructor', 9)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(verified.readFile('b.bin', 9)).rejects.toMatchObject({ code: 'MODEL_FILE_TOO_LARGE' });
    for (const [start, end] of [
      [0, 11],
      [-1, 3],
      [5, 4],
      [Number.NaN, 3],
    ] as const) {
      await expect(verified.readRange('b.bin', start, end)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    }
  });

  it('stops asking when one chunk fails or the caller leaves', async () => {
    const seen: AbortSignal[] = [];
    const hanging: ModelSource = {
      ...memorySource(files),
      readRange: (path, start, _end, signal) => {
        seen.push(signal!);
        if (start === CHUNK) return Promise.reject(AiloError.of('MODEL_SOURCE_FAILED', { path, reason: 'gone' }));
        return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
      },
    };
    const manifest = await manifestOf();
    const verified = verifiedSource(manifest, from(hanging), memoryChunkStore());
    await expect(verified.readFile('a.bin', 1e6)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    expect(seen).toHaveLength(6);
    expect(seen.every((signal) => signal.aborted)).toBe(true);
    const leave = new AbortController();
    const left = verified.readRange('a.bin', 0, 5, leave.signal);
    await new Promise((resolve) => setTimeout(resolve));
    leave.abort();
    await expect(left).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(seen.at(-1)!.aborted).toBe(true);
  });
});
