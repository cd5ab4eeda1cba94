import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type AddedModel, addedModels, keepAddedModels } from './added.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-added-'));
});
afterEach(() => rm(folder, { recursive: true }));

const model: AddedModel = {
  id: 'tiny',
  name: 'Tiny',
  dir: '/models/tiny',
  source: { repo: 'owner/tiny', revision: 'a'.repeat(40) },
  stages: 4,
  quant: 'int8',
  contextLength: 512,
};

it('remembers what was kept', async () => {
  expect(await addedModels(join(folder, 'new'))).toEqual([]);
  await keepAddedModels(join(folder, 'new'), [model, { ...model, id: 'other' }]);
  expect(await addedModels(join(folder, 'new'))).toEqual([model, { ...model, id: 'other' }]);
  expect(await readdir(join(folder, 'new'))).toEqual(['models.json']);
});

it.each([
  ['no JSON', '{'],
  ['an id that is a path', JSON.stringify({ version: 1, models: [{ ...model, id: '../x' }] })],
  [
    'a branch for a commit',
    JSON.stringify({ version: 1, models: [{ ...model, source: { repo: 'a/b', revision: 'main' } }] }),
  ],
  ['another version', JSON.stringify({ version: 2, models: [] })],
])('refuses a file with %s', async (_, content) => {
  await writeFile(join(folder, 'models.json'), content);
  await expect(addedModels(folder)).rejects.toMatchObject({ code: 'ADDED_MODELS_INVALID' });
});

it('does not write what it would not read', async () => {
  await keepAddedModels(folder, [model]);
  await expect(keepAddedModels(folder, [model, model])).rejects.toMatchObject({ code: 'ADDED_MODELS_INVALID' });
  expect(await addedModels(folder)).toEqual([model]);
});
