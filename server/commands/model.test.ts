import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QWEN_1_8B, writeRandomModel } from '../../tests/bench/random-model.ts';
import type { Command, Values } from '../cli.ts';
import { addedModels } from '../model/added.ts';
import { readHubToken } from '../model/hub-token.ts';
import { sendFile, type TestServer, testServer } from '../model/testing.ts';
import { modelAdd, modelList, modelRemove } from './model.ts';
import { serve } from './serve.ts';

const tiny = {
  ...QWEN_1_8B,
  ...{ layers: 2, hiddenSize: 64, intermediateSize: 96, heads: 4, kvHeads: 2, headDim: 16, vocabSize: 131 },
  ...{ bosToken: 1, eosTokens: [2], maxPositions: 64 },
};
const COMMIT = 'c'.repeat(40);

let folder: string;
let data: string;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-model-'));
  data = join(folder, 'data');
  lines = [];
  vi.stubEnv('HF_TOKEN', '');
  await writeRandomModel(join(folder, 'tiny'), tiny, 1, { shardBytes: 50_000 });
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true });
});

async function run(command: Command, values: Values, signal = new AbortController().signal): Promise<object> {
  const results: object[] = [];
  const log = pino({ level: 'silent' });
  const print = (line: string) => lines.push(line);
  await command.run({ data, ...values }, { json: true, log, print, result: (value) => results.push(value), signal });
  return results[0]!;
}

it('adds a folder, serves what was added, and takes it out again without touching the folder', async () => {
  await run(modelAdd, { wished: join(folder, 'tiny'), id: 'mine', nodes: '3', quant: 'int8', context: '32' });
  const model = { id: 'mine', name: 'mine', dir: join(folder, 'tiny'), stages: 3, quant: 'int8', contextLength: 32 };
  expect(await addedModels(data)).toEqual([model]);
  await run(modelAdd, { wished: join(folder, 'tiny') });
  expect(await run(modelList, {})).toMatchObject({ added: [{ id: 'mine' }, { id: 'tiny' }] });

  const stop = new AbortController();
  const results: object[] = [];
  const ready = (value: object) => {
    results.push(value);
    stop.abort();
  };
  await serve.run(
    { data, port: '0' },
    { json: true, log: pino({ level: 'silent' }), print() {}, result: ready, signal: stop.signal },
  );
  expect(results[0]).toMatchObject({ models: ['mine', 'tiny'] });
  await expect(run(serve, { port: '0', quant: 'int8' })).rejects.toMatchObject({ code: 'USAGE' });

  expect(await run(modelRemove, { id: 'mine' })).toEqual({ id: 'mine', deleted: false });
  expect((await addedModels(data)).map(({ id }) => id)).toEqual(['tiny']);
  expect(existsSync(join(folder, 'tiny', 'config.json'))).toBe(true);
  await expect(run(modelRemove, { id: 'mine' })).rejects.toMatchObject({ code: 'MODEL_UNKNOWN' });
});

it('lists what Ailo is made for, with its room', async () => {
  const { catalogue } = (await run(modelList, {})) as { catalogue: { id: string }[] };
  expect(catalogue.find(({ id }) => id === 'Llama-2-70b-chat-hf')).toMatchObject({
    ...{ nodes: 120, gated: true, parameters: 68_976_648_192, added: false },
    bytesPerNode: expect.any(Number),
  });
  expect(lines.join('\n')).toContain('gpt2: 124 million parameters, 1 node of');
});

it.each([
  ['nothing of that name', { wished: 'nothing' }],
  ['a shape without weights', { wished: 'moe-600b' }],
  ['a revision of a folder', { wished: 'FOLDER', revision: 'main' }],
  ['parts in words', { wished: 'FOLDER', nodes: 'many' }],
])('refuses %s', async (_, { wished, ...values }: Values) => {
  const place = wished === 'FOLDER' ? join(folder, 'tiny') : wished;
  await expect(run(modelAdd, { wished: place, ...values })).rejects.toMatchObject({ code: 'USAGE' });
  expect(await addedModels(data)).toEqual([]);
});

describe('from a hub', () => {
  let hub: TestServer;
  let store: TestServer;
  /** What the hub wants to see before it gives anything; undefined: nothing. */
  let token: string | undefined;

  beforeEach(async () => {
    token = undefined;
    store = await testServer((request, response) => {
      void readFile(join(folder, 'tiny', request.url!.split('/').at(-1)!)).then((bytes) =>
        sendFile(request, response, bytes),
      );
    });
    hub = await testServer((request, response) => {
      const name = request.url!.split('/').at(-1)!;
      if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
        response.writeHead(request.headers.authorization ? 403 : 401).end();
      } else if (request.url === '/api/models/owner/tiny/revision/main') {
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ sha: COMMIT, gated: 'manual' }));
      } else if (
        !request.url!.startsWith(`/owner/tiny/resolve/${COMMIT}/`) ||
        !existsSync(join(folder, 'tiny', name))
      ) {
        response.writeHead(404).end();
      } else {
        void readFile(join(folder, 'tiny', name)).then(({ length }) => {
          const location = `${store.url}/signed/${hub.requests.length}/${name}`;
          response.writeHead(302, { location, 'x-linked-size': length }).end();
        });
      }
    });
    vi.stubEnv('HF_ENDPOINT', hub.url);
  });
  afterEach(() => Promise.all([hub.close(), store.close()]));

  it('keeps the commit that the branch was at, and its files for as long as it is added', async () => {
    await run(modelAdd, { wished: 'owner/tiny', nodes: '2' });
    const dir = join(data, 'models', 'owner', COMMIT, 'tiny');
    const source = { repo: 'owner/tiny', revision: COMMIT };
    expect(await addedModels(data)).toMatchObject([{ id: 'tiny', dir, source, stages: 2 }]);
    expect(await readdir(dir)).toContain('model.safetensors.index.json');
    expect(await run(modelRemove, { id: 'tiny' })).toEqual({ id: 'tiny', deleted: true });
    expect(existsSync(dir)).toBe(false);
  });

  it('says what a gated model needs, and keeps a token that served, which only the hub sees', async () => {
    token = 'hf_secret';
    await expect(run(modelAdd, { wished: 'owner/tiny' })).rejects.toMatchObject({ code: 'HUB_TOKEN_NEEDED' });
    const file = join(folder, 'token');
    await writeFile(file, 'hf_wrong\n');
    await expect(run(modelAdd, { wished: 'owner/tiny', 'token-file': file })).rejects.toMatchObject({
      code: 'HUB_TOKEN_NEEDED',
    });
    expect(await readHubToken(data)).toBeUndefined();
    await writeFile(file, 'hf_secret\n');
    await run(modelAdd, { wished: 'owner/tiny', 'token-file': file });
    expect(await readHubToken(data)).toBe('hf_secret');
    // The next time nobody has to give it.
    await run(modelRemove, { id: 'tiny' });
    await run(modelAdd, { wished: 'owner/tiny', revision: COMMIT });
    expect(store.requests.length).toBeGreaterThan(0);
    expect(store.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
    expect(lines.join('\n')).not.toContain('hf_');
  });

  it('takes the token of the environment without keeping it', async () => {
    token = 'hf_secret';
    vi.stubEnv('HF_TOKEN', 'hf_secret');
    await run(modelAdd, { wished: 'owner/tiny' });
    expect(await readHubToken(data)).toBeUndefined();
  });

  it('does not know a branch that is not there', async () => {
    await expect(run(modelAdd, { wished: 'owner/tiny@other' })).rejects.toMatchObject({
      code: 'MODEL_SOURCE_FAILED',
      message: expect.stringContaining('no revision “other”'),
    });
  });
});
