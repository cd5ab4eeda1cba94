import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { memoryChunkStore } from '../../model/verified.ts';
import { nameOfWeights, readChunks, WeightChunks, writeChunks } from './chunks.ts';

const values = Float32Array.from({ length: 10 }, (_, i) => i / 3);
const parts = [values.subarray(0, 1), values.subarray(1, 8), values.subarray(8)];

async function served() {
  const served = new Map<string, Uint8Array>();
  const chunks = await writeChunks(parts, async (hash, bytes) => void served.set(hash, bytes), 16);
  const asked: string[] = [];
  const fetch = async (hash: string) => {
    asked.push(hash);
    return served.get(hash)!;
  };
  return { served, chunks, asked, source: { store: memoryChunkStore(), fetch, model: 'tiny' } };
}

async function read(chunks: WeightChunks, source: Parameters<typeof readChunks>[1]): Promise<number[]> {
  const all: number[] = [];
  for await (const part of readChunks(chunks, source)) all.push(...part);
  return all;
}

describe('weights in chunks', () => {
  test('come back as they were, the second time from the store alone', async () => {
    const { chunks, asked, source } = await served();
    expect(v.parse(WeightChunks, chunks)).toEqual(chunks);
    expect(chunks.hashes).toHaveLength(3);
    expect(await read(chunks, source)).toEqual([...values]);
    expect(asked).toEqual(chunks.hashes);
    expect(await read(chunks, source)).toEqual([...values]);
    expect(asked).toHaveLength(3);
  });

  test('are refused where they are not those of their hash, and not stored', async () => {
    const { served: files, chunks, source } = await served();
    files.get(chunks.hashes[1]!)![3]! ^= 1;
    await expect(read(chunks, source)).rejects.toMatchObject({ code: 'CHUNK_HASH_MISMATCH' });
    expect(source.store.chunks.has(chunks.hashes[1]!)).toBe(false);
  });

  test('have a name that every chunk is in', async () => {
    const { chunks } = await served();
    const other = { ...chunks, hashes: chunks.hashes.toReversed() };
    expect(await nameOfWeights(other)).not.toBe(await nameOfWeights(chunks));
  });

  test.each([{ hashes: [] }, { chunkBytes: 6 }, { values: 0 }, { hashes: ['A', 'b', 'c'] }])(
    'are not listed like %j',
    async (change) => {
      const { chunks } = await served();
      expect(v.safeParse(WeightChunks, { ...chunks, ...change }).success).toBe(false);
    },
  );
});
