import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelSource } from '../../shared/model/types.ts';
import { folderSource } from './folder-source.ts';

let root: string;
let source: ModelSource;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'ailo-folder-'));
  await mkdir(join(root, 'model', 'inner'), { recursive: true });
  await mkdir(join(root, 'model-other'));
  await writeFile(
    join(root, 'model', 'a.bin'),
    Uint8Array.from({ length: 100 }, (_, i) => i),
  );
  await writeFile(join(root, 'secret'), 'secret');
  await writeFile(join(root, 'model-other', 'b.bin'), 'other');
  await symlink(join(root, 'secret'), join(root, 'model', 'link'));
  await symlink(root, join(root, 'model', 'up'));
  await symlink('a.bin', join(root, 'model', 'within'));
  source = folderSource(join(root, 'model'));
});
afterAll(() => rm(root, { recursive: true }));

describe('folderSource', () => {
  it('reads files and ranges, also through a link that stays within', async () => {
    expect(await source.size('a.bin')).toBe(100);
    expect(await source.readRange('a.bin', 10, 13)).toEqual(Uint8Array.of(10, 11, 12));
    expect(await source.readRange('within', 99, 100)).toEqual(Uint8Array.of(99));
    expect(await source.readFile('a.bin', 100)).toHaveLength(100);
  });

  it.each(['missing', '../secret', 'link', 'up/secret', '../model-other/b.bin', 'inner', '.', '', 'a.bin/x'])(
    'does not find “%s”',
    async (path) => {
      await expect(source.size(path)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
      await expect(source.readFile(path, 1000)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    },
  );

  it('refuses absolute paths out of the folder', async () => {
    await expect(source.readFile(join(root, 'secret'), 1000)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
  });

  it('refuses files over the limit and ranges beyond the end', async () => {
    await expect(source.readFile('a.bin', 99)).rejects.toMatchObject({ code: 'MODEL_FILE_TOO_LARGE' });
    await expect(source.readRange('a.bin', 90, 101)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    await expect(source.readRange('a.bin', -1, 5)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    await expect(source.readRange('a.bin', 5, 4)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
  });

  it('stops when it is cancelled', async () => {
    await expect(source.size('a.bin', AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
