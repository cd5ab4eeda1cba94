import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCommand } from '../cli.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { node } from './node.ts';

const modelDir = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const missing = !existsSync(modelDir);
if (missing) console.warn('skipped: there is no folder shared/models/stories260k beside the project');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-node-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const run = (args: string[], signal = new AbortController().signal) =>
  runCommand({ name: 'node', summary: '', command: node }, ['--data', join(folder, 'node'), ...args], signal);

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
  await expect(run(args)).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(sentence) });
  expect(await readdir(folder)).toEqual([]);
});

describe.skipIf(missing)('with a coordinator', () => {
  const log = pino({ level: 'silent' });
  let coordinator: Awaited<ReturnType<typeof startCoordinator>>;
  beforeEach(async () => {
    const models = [{ dir: modelDir, stages: 1 }];
    coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models,
      log,
    });
  });
  afterEach(() => coordinator.close());

  it('contributes until it is told to stop', async () => {
    const stop = new AbortController();
    const lines: string[] = [];
    const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      lines.push(...String(text).trim().split('\n'));
      if (lines.at(-1)?.startsWith('Ready')) stop.abort();
      return true;
    });
    try {
      await run(['--url', coordinator.url, '--budget-mib', '64', '--threads', '1'], stop.signal);
    } finally {
      write.mockRestore();
    }
    const told = lines.map((line) =>
      line
        .replace(/alc1\w+/, 'itself')
        .split(/[:,…]| part /)[0]!
        .trim(),
    );
    const inOrder = [
      'Connecting',
      'Connected as itself',
      'Waiting for a',
      'Loading',
      'Ready with',
      'Finishing what runs',
    ];
    expect(told.filter((line) => inOrder.includes(line)).filter((line, i, all) => line !== all[i - 1])).toEqual(
      inOrder,
    );
    expect(lines.at(-1)).toBe('Disconnected');
  });

  it('ends with the reason when its wish cannot be met', async () => {
    const wish = ['--model', 'stories260k', '--units', '3-99', '--json'];
    await expect(run(['--url', coordinator.url, ...wish])).rejects.toMatchObject({ code: 'STAGE_RANGE_INVALID' });
  });
});
