import { existsSync } from 'node:fs';
import { appendFile, cp, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { openModel } from './model-store.ts';

const modelDir = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const missing = !existsSync(modelDir);
if (missing) console.warn('skipped: the folder “shared” with the model stories260k is not beside the project');

let folder: string;
let cache: string;
let dir: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-models-'));
  cache = join(folder, 'manifests');
  dir = join(folder, 'stories');
  if (!missing) await cp(modelDir, dir, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(missing)('a served model', () => {
  test('lists exactly the files that reading it takes, and is named by its folder', async () => {
    const model = await openModel({ dir }, cache);
    expect(model).toMatchObject({ id: 'stories', name: 'stories', contextLength: 512, chat: false });
    expect(model.manifest.files.map(({ path }) => path)).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect(model.manifestHash).toBe(await sha256Hex(model.manifestBytes));
  });

  test('takes its context as told, but never more than the model has', async () => {
    expect((await openModel({ dir, contextLength: 100 }, cache)).contextLength).toBe(100);
    expect((await openModel({ dir, contextLength: 100_000 }, cache)).contextLength).toBe(512);
  });

  test('is hashed once: the next time the manifest comes from the cache', async () => {
    const first = await openModel({ dir }, cache);
    const [name] = await readdir(cache);
    const kept = JSON.parse(await readFile(join(cache, name!), 'utf8'));
    kept.name = 'from the cache';
    await writeFile(join(cache, name!), JSON.stringify(kept));
    expect((await openModel({ dir }, cache)).manifest.name).toBe('from the cache');
    await truncate(join(cache, name!), 40);
    expect((await openModel({ dir }, cache)).manifestHash, 'a broken cache is no cache').toBe(first.manifestHash);
  });

  test('is hashed again when a file has changed, be it in time alone', async () => {
    const first = await openModel({ dir }, cache);
    const path = join(dir, 'tokenizer_config.json');
    await appendFile(path, ' ');
    const second = await openModel({ dir }, cache);
    expect(second.manifestHash).not.toBe(first.manifestHash);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replace(/ $/, '\n'));
    await utimes(path, 1, 1);
    expect((await openModel({ dir }, cache)).manifestHash).not.toBe(second.manifestHash);
  });

  test('is refused when a part of it is missing or damaged, and leaves no manifest', async () => {
    await truncate(join(dir, 'model.safetensors'), 500_000);
    await expect(openModel({ dir }, cache)).rejects.toMatchObject({ code: 'SAFETENSORS_HEADER_INVALID' });
    await rm(join(dir, 'tokenizer.json'));
    await cp(join(modelDir, 'model.safetensors'), join(dir, 'model.safetensors'));
    await expect(openModel({ dir }, cache)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(openModel({ dir: join(folder, 'nowhere') }, cache)).rejects.toMatchObject({
      code: 'MODEL_FILE_MISSING',
    });
    expect(existsSync(cache)).toBe(false);
  });

  test('needs an id that can stand in a path, and makes one of any folder', async () => {
    const odd = join(folder, '.My model (v2)');
    await cp(modelDir, odd, { recursive: true });
    expect(await openModel({ dir: odd }, cache)).toMatchObject({ id: 'My-model-v2-' });
    await expect(openModel({ dir, id: 'a/b' }, cache)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' });
  });
});
