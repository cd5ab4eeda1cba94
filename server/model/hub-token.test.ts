import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { forgetHubToken, keepHubToken, readHubToken } from './hub-token.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-token-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('keeps a token that no file shows, for its owner only', async () => {
  expect(await readHubToken(folder)).toBeUndefined();
  await keepHubToken(folder, ' hf_secret\n');
  expect(await readHubToken(folder)).toBe('hf_secret');
  for (const name of await readdir(folder)) {
    expect(await readFile(join(folder, name), 'utf8')).not.toContain('hf_secret');
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  }
  await keepHubToken(folder, 'hf_other');
  expect(await readHubToken(folder)).toBe('hf_other');
  await forgetHubToken(folder);
  expect(await readHubToken(folder)).toBeUndefined();
  expect(await readdir(folder)).toEqual([]);
});

it.each(['hub-token.key', 'hub-token.json'])('says so when %s was changed, without quoting it', async (name) => {
  await keepHubToken(folder, 'hf_secret');
  await writeFile(join(folder, name), '{"secret": "hf_s');
  const failure = await readHubToken(folder).catch((error) => error);
  expect(failure).toMatchObject({ code: 'HUB_TOKEN_INVALID' });
  expect(`${failure.message}${failure.cause ?? ''}`).not.toContain('hf_s');
});

it.each(['', ' ', 'two words', 'a\nb', 'x'.repeat(600)])('refuses “%s”', async (token) => {
  await expect(keepHubToken(folder, token)).rejects.toMatchObject({ code: 'HUB_TOKEN_INVALID' });
  expect(await readdir(folder)).toEqual([]);
});
