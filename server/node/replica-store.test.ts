import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replicaCases } from '../../shared/replica/cases.ts';
import { folderStores } from './replica-store.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-replica-'));
});
afterEach(() => rm(folder, { recursive: true }));

test.each(replicaCases)('in SQLite: $name', async ({ run }) => {
  await run({ stores: () => folderStores(folder) });
});

test('says which file is none of ours', async () => {
  await writeFile(join(folder, 'networks.sqlite'), 'not a database'.repeat(100));
  await expect(folderStores(folder).pinned('http://localhost')).rejects.toMatchObject({ code: 'DATABASE_UNUSABLE' });
});

test('a network’s file is used by one at a time', async () => {
  const id = 'a'.repeat(64);
  const first = await folderStores(folder).open(id);
  await first.save([{ part: 'head', index: 0, bytes: new Uint8Array([1]) }]);
  await expect(folderStores(folder).open(id)).rejects.toMatchObject({ code: 'DATABASE_UNUSABLE' });
  await first.close();
  const second = await folderStores(folder).open(id);
  expect(await second.read('head')).toEqual([{ part: 'head', index: 0, bytes: new Uint8Array([1]) }]);
  await second.close();
});
