import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ResolveOptions, resolveModel } from './resolve.ts';
import { sendFile, type TestServer, testServer } from './testing.ts';

const revision = 'b'.repeat(40);
const weights = new Uint8Array(12 * 2 ** 20);
let hub: TestServer;
let folder: string;
let lines: string[];
let options: ResolveOptions;

beforeEach(async () => {
  hub = await testServer((request, response) => {
    const name = request.url!.split('/').at(-1)!;
    if (name === 'model.safetensors') sendFile(request, response, weights);
    else if (name === 'config.json' || name === 'tokenizer.json') sendFile(request, response, new Uint8Array(2));
    else response.writeHead(404).end();
  });
  folder = await mkdtemp(join(tmpdir(), 'ailo-resolve-'));
  lines = [];
  const print = (line: string) => lines.push(line);
  options = { print, env: { HF_ENDPOINT: hub.url }, modelsFolder: join(folder, 'models') };
});
afterEach(async () => {
  await Promise.all([hub.close(), rm(folder, { recursive: true })]);
});

describe('resolveModel', () => {
  it('takes a folder as it is', async () => {
    await mkdir(join(folder, 'mine'));
    expect(await resolveModel(join(folder, 'mine'), options)).toEqual({ dir: join(folder, 'mine') });
    expect(hub.requests).toEqual([]);
  });

  it('knows the built-in model by its name, without a download', async () => {
    const { dir } = await resolveModel('ailo-guide', options);
    expect(await readdir(dir)).toContain('model.safetensors');
    expect(hub.requests).toEqual([]);
  });

  it('downloads a hub model once, into a folder of its name, and says how far it is', async () => {
    const wished = `owner/tiny@${revision}`;
    const { dir } = await resolveModel(wished, options);
    expect(dir).toBe(join(folder, 'models', 'owner', revision, 'tiny'));
    expect(lines.length).toBeGreaterThan(5);
    expect(lines.length).toBeLessThanOrEqual(11);
    expect(lines.at(-1)).toBe('Downloading model.safetensors: 13 of 13 MB');
    lines.length = 0;
    await resolveModel(wished, options);
    expect(lines).toEqual([]);
  });

  it('knows the commit of the model that the demo serves', async () => {
    await resolveModel('HuggingFaceTB/SmolLM2-135M-Instruct', options);
    expect(hub.requests[0]!.url).toMatch(/^\/HuggingFaceTB\/SmolLM2-135M-Instruct\/resolve\/[0-9a-f]{40}\//);
  });

  it.each(['./missing', '../missing', '/no/such/folder', 'nothing', 'owner/tiny', 'owner/tiny@main', ''])(
    'refuses “%s”',
    async (wished) => {
      await expect(resolveModel(wished, options)).rejects.toMatchObject({ code: 'USAGE' });
      expect(hub.requests).toEqual([]);
    },
  );
});
