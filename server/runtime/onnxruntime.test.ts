import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const AILO = fileURLToPath(new URL('../ailo.mjs', import.meta.url));

test('keeps nothing to tell anybody of what was computed', async () => {
  const home = await mkdtemp(join(tmpdir(), 'ailo-home-'));
  const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...env } = process.env;
  const args = ['generate', '--model', 'ailo-guide', '--prompt', 'What is Ailo?', '--max-new-tokens', '4', '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, [AILO, ...args], { env: { ...env, HOME: home } });
  expect(JSON.parse(stdout).tokens.length).toBeGreaterThan(0);
  expect(await readdir(home, { recursive: true })).toEqual([]);
  await rm(home, { recursive: true });
});
