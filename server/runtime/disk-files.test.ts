import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDiskFiles, roomFor } from './disk-files.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-files-'));
});
afterAll(() => rm(folder, { recursive: true }));

test('bytes come back when the folder is opened again, with zeros where nothing was written', async () => {
  const files = await openDiskFiles(join(folder, 'a'));
  const file = await files.open('values');
  await file.write(3, Uint8Array.of(1, 2));
  await file.flush();
  await files.close();
  const again = await openDiskFiles(join(folder, 'a'));
  const into = new Uint8Array(8).fill(7);
  await (await again.open('values')).read(1, into);
  expect([...into]).toEqual([0, 0, 1, 2, 0, 0, 0, 0]);
  await again.clear('values');
  await (await again.open('values')).read(0, into);
  expect([...into]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  await again.close();
});

test('a folder that cannot be made is said', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(openDiskFiles(join(folder, 'file', 'b'))).rejects.toMatchObject({ code: 'STATE_NOT_STORED' });
});

test('the room of a folder is what is free and what it holds', async () => {
  const before = await roomFor(join(folder, 'c'));
  expect(before).toBeGreaterThan(0);
  await writeFile(join(folder, 'c', 'values'), '');
  await truncate(join(folder, 'c', 'values'), 2 ** 40);
  expect(await roomFor(join(folder, 'c'))).toBeGreaterThan(2 ** 40);
});
