import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { runCommand } from '../cli.ts';
import { node } from './node.ts';

it.each([
  [[], '--url is required'],
  [['--url', 'localhost:4000'], '--url must begin with http'],
  [['--url', 'http://x', '--budget-mib', '1'], '--budget-mib must be a number from 16'],
  [['--url', 'http://x', '--threads', '1.5'], '--threads must be a whole number'],
  [['--url', 'http://x', '--model', 'tiny'], '--model ID and --units A-B belong together'],
  [['--url', 'http://x', '--units', '1-2'], '--model ID and --units A-B belong together'],
  [['--url', 'http://x', '--model', 'tiny', '--units', '4'], '--model ID and --units A-B belong together'],
  [['--url', 'http://x', '--gpu'], '--gpu'],
])('says what is wrong with %o, before anything is created', async (args, sentence) => {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-node-'));
  try {
    const run = runCommand(
      { name: 'node', summary: '', command: node },
      ['--data', folder, ...args],
      new AbortController().signal,
    );
    await expect(run).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(sentence) });
    expect(await readdir(folder)).toEqual([]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
