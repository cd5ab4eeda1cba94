import 'fake-indexeddb/auto';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { indexedDbChunks } from './chunk-store.ts';
import { openDatabase } from './database.ts';
import { budgetOf } from './storage-budget.ts';

const database = openDatabase();
let budget: number;
let nowMs: number;
let chunks: ReturnType<typeof indexedDbChunks>;

beforeEach(async () => {
  await Promise.all([database.chunks.clear(), database.chunkUses.clear()]);
  budget = 1000;
  nowMs = 1e12;
  chunks = indexedDbChunks(database, { budgetBytes: async () => budget, now: () => nowMs });
});
afterAll(() => database.close());

const chunk = (fill: number, length = 100) => new Uint8Array(length).fill(fill);
async function put(fill: number, model = 'a', length = 100): Promise<string> {
  const bytes = chunk(fill, length);
  const hash = await sha256Hex(bytes);
  await chunks.put(hash, bytes, model);
  nowMs += 3_600_000;
  return hash;
}

it('gives back what it was given, and nothing it was not', async () => {
  expect(await chunks.get(await sha256Hex(chunk(1)))).toBeUndefined();
  expect(await chunks.get(await put(1))).toEqual(chunk(1));
});

it('forgets a chunk that the disk spoilt, so that it is fetched again', async () => {
  const hash = await put(1);
  await database.chunks.put({ hash, bytes: chunk(2) });
  expect(await chunks.get(hash)).toBeUndefined();
  expect(await database.chunks.count()).toBe(0);
  expect(await chunks.usage()).toEqual([]);
});

describe('over its budget', () => {
  it('lets go of what was not needed for longest', async () => {
    budget = 300;
    const [first, second, third] = [await put(1), await put(2), await put(3)];
    await chunks.get(first);
    nowMs += 3_600_000;
    const fourth = await put(4, 'b');
    expect(await chunks.get(second)).toBeUndefined();
    for (const hash of [first, third, fourth]) expect(await chunks.get(hash)).toBeDefined();
  });

  it('counts chunks that arrive at the same time', async () => {
    budget = 300;
    await Promise.all([1, 2, 3, 4, 5, 6].map((fill) => put(fill)));
    expect((await chunks.usage())[0]!.bytes).toBe(300);
  });

  it('counts a chunk that comes twice once', async () => {
    await put(1);
    await put(1, 'b');
    expect(await chunks.usage()).toMatchObject([{ model: 'b', bytes: 100 }]);
  });

  it('stores nothing that is larger than all it may take', async () => {
    await put(1);
    await put(2, 'a', 2000);
    expect((await chunks.usage())[0]!.bytes).toBe(100);
  });
});

it('makes room where the disk is full, and says so where that does not help', async () => {
  const first = await put(1);
  const full = new DOMException('full', 'QuotaExceededError');
  const writing = vi.spyOn(database.chunks, 'put').mockRejectedValueOnce(full);
  const second = await put(2);
  expect(await chunks.get(first)).toBeUndefined();
  expect(await chunks.get(second)).toBeDefined();
  writing.mockRejectedValue(full);
  await expect(put(3)).rejects.toMatchObject({ name: 'QuotaExceededError' });
  writing.mockRestore();
  // It goes on afterwards.
  expect(await chunks.get(await put(4))).toBeDefined();
});

it('tells what each model takes, the largest first, and forgets one of them', async () => {
  await put(1, 'small');
  await put(2, 'large', 300);
  const last = nowMs;
  const hash = await put(3, 'large', 200);
  expect(await chunks.usage()).toMatchObject([
    { model: 'large', bytes: 500, usedMs: last },
    { model: 'small', bytes: 100 },
  ]);
  await chunks.remove('large');
  expect(await chunks.get(hash)).toBeUndefined();
  expect(await chunks.usage()).toMatchObject([{ model: 'small' }]);
});

it('takes at most half of what the browser grants', () => {
  expect(budgetOf({ quota: 10e9 })).toBe(5e9);
  expect(budgetOf({})).toBe(2e9);
});
