import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { folderStaging } from './folder-staging.ts';

let parent: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'ailo-staging-'));
});
afterEach(() => rm(parent, { recursive: true }));

it('keeps weights as files until it is cleared', async () => {
  const staging = await folderStaging(join(parent, 'deeper'));
  await staging.put('layers.0.gate', Uint8Array.of(1, 2, 3));
  const { session } = staging.options().extra as { session: { model_external_initializers_file_folder_path: string } };
  const folder = session.model_external_initializers_file_folder_path;
  expect([...(await readFile(join(folder, 'layers.0.gate')))]).toEqual([1, 2, 3]);
  await staging.clear();
  await staging.clear();
  expect(await readdir(join(parent, 'deeper'))).toEqual([]);
});

it('removes what a dead process left, and nothing else', async () => {
  const dead = spawnSync('true').pid;
  const alive = process.ppid;
  for (const name of [`ailo-stage-${dead}-x`, `ailo-stage-${alive}-x`, 'something']) await mkdir(join(parent, name));
  const staging = await folderStaging(parent);
  const left = await readdir(parent);
  expect(left).not.toContain(`ailo-stage-${dead}-x`);
  expect(left).toEqual(expect.arrayContaining([`ailo-stage-${alive}-x`, 'something']));
  await staging.clear();
});

it('says so where nothing can be written', async () => {
  await writeFile(join(parent, 'file'), '');
  await expect(folderStaging(join(parent, 'file'))).rejects.toMatchObject({ code: 'ENGINE_FAILED' });
});
