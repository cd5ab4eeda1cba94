import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
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
    await Promise.all([1, 2, 3].map(() => folderChunkStore(folder).put(hash, bytes)));
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
    await store.put(hash, bytes);
    await damage(join(folder, hash.slice(0, 2), hash));
    expect(await store.get(hash)).toBeUndefined();
    expect(await filesIn()).toEqual([]);
    await store.put(hash, bytes);
    expect(await store.get(hash)).toBeDefined();
  });

  it('leaves nothing when it cannot write', async () => {
    const hash = await sha256Hex(bytes);
    await writeFile(join(folder, hash.slice(0, 2)), 'in the way');
    await expect(folderChunkStore(folder).put(hash, bytes)).rejects.toThrow();
    expect((await filesIn()).map((entry) => entry.name)).toEqual([hash.slice(0, 2)]);
  });

  it('never turns a name into a path', async () => {
    const store = folderChunkStore(folder);
    await expect(store.get('../../etc/passwd')).rejects.toThrow(RangeError);
    await expect(store.put('AB'.repeat(32), bytes)).rejects.toThrow(RangeError);
  });
});
