import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import type { ChunkStore } from '../../shared/model/types.ts';
import { folderChunkStore } from './folder-chunks.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-chunks-'));
});
afterEach(() => rm(folder, { recursive: true }));

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
const filesIn = async () =>
  (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());

describe('folderChunkStore', () => {
  it('keeps chunks across instances, one file each', async () => {
    const hash = await sha256Hex(bytes);
    await Promise.all([1, 2, 3].map(() => folderChunkStore(folder).put(hash, bytes, 'm')));
    expect(new Uint8Array((await folderChunkStore(folder).get(hash))!)).toEqual(bytes);
    expect((await filesIn()).map((entry) => entry.name)).toEqual([hash]);
    expect(await folderChunkStore(folder).get('00'.repeat(32))).toBeUndefined();
  });

  it.each([
    ['flipped', async (path: string) => writeFile(path, (await readFile(path)).fill(7, 3, 4))],
    ['cut short', (path: string) => truncate(path, 10)],
    ['empty', (path: string) => truncate(path, 0)],
  ])('forgets a chunk that was %s on disk', async (_, damage) => {
    const store = folderChunkStore(folder);
    const hash = await sha256Hex(bytes);
    await store.put(hash, bytes, 'm');
    await damage(join(folder, hash.slice(0, 2), hash));
    expect(await store.get(hash)).toBeUndefined();
    expect(await filesIn()).toEqual([]);
    await store.put(hash, bytes, 'm');
    expect(await store.get(hash)).toBeDefined();
  });

  it('leaves nothing when it cannot write', async () => {
    const hash = await sha256Hex(bytes);
    await writeFile(join(folder, hash.slice(0, 2)), 'in the way');
    await expect(folderChunkStore(folder).put(hash, bytes, 'm')).rejects.toThrow();
    expect((await filesIn()).map((entry) => entry.name)).toEqual([hash.slice(0, 2)]);
  });

  it('never turns a name into a path', async () => {
    const store = folderChunkStore(folder);
    await expect(store.get('../../etc/passwd')).rejects.toThrow(RangeError);
    await expect(store.put('AB'.repeat(32), bytes, 'm')).rejects.toThrow(RangeError);
  });

  describe('with a limit', () => {
    const chunk = (fill: number) => new Uint8Array(100).fill(fill);
    let nowMs = 1.7e12;
    const now = () => nowMs;
    async function put(store: ChunkStore, fill: number): Promise<string> {
      const hash = await sha256Hex(chunk(fill));
      await store.put(hash, chunk(fill), 'm');
      await store.get(hash);
      nowMs += 60_000;
      return hash;
    }

    it('deletes what was not needed for longest, also of an earlier process', async () => {
      const first = await put(folderChunkStore(folder, { now }), 1);
      const store = folderChunkStore(folder, { limitBytes: 400, now });
      const [second, third] = [await put(store, 2), await put(store, 3)];
      await store.get(first);
      nowMs += 60_000;
      const fourth = await put(store, 4);
      const fifth = await put(store, 5);
      expect(await store.get(second)).toBeUndefined();
      expect(await store.get(third)).toBeUndefined();
      for (const hash of [first, fourth, fifth]) expect(await store.get(hash)).toBeDefined();
    });

    it('never has more than the limit, however many come at once', async () => {
      const store = folderChunkStore(folder, { limitBytes: 350, now });
      await Promise.all([1, 2, 3, 4, 5, 6, 7].map((fill) => put(store, fill)));
      expect((await filesIn()).length).toBeLessThanOrEqual(3);
      await store.put(await sha256Hex(bytes), bytes, 'm');
      expect(await store.get(await sha256Hex(bytes))).toBeUndefined();
    });

    it('removes what a process that was killed left half-written', async () => {
      const store = folderChunkStore(folder, { limitBytes: 400, now: () => Date.now() + 2 * 24 * 3_600_000 });
      await mkdir(join(folder, 'ab'));
      await writeFile(join(folder, 'ab', `${'ab'.repeat(32)}.x.part`), 'half');
      await put(store, 1);
      expect((await filesIn()).every(({ name }) => !name.endsWith('.part'))).toBe(true);
    });
  });
});
