import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { downloadHubModel, type HubOptions } from './hub.ts';
import { sendFile, type TestServer, testServer } from './testing.ts';

const revision = 'a'.repeat(40);
const model = { repo: 'owner/tiny', revision };
const weights = Uint8Array.from({ length: 300_000 }, (_, i) => i * 7);
const text = (value: string) => new TextEncoder().encode(value);

let files: Record<string, Uint8Array>;
/** Replaces the store's answer to a request. */
let trick: ((request: IncomingMessage, response: ServerResponse) => boolean) | undefined;
let hub: TestServer;
let store: TestServer;
let dataFolder: string;
let options: HubOptions;

beforeEach(async () => {
  files = { 'config.json': text('{}'), 'tokenizer.json': text('{"a":1}'), 'model.safetensors': weights };
  trick = undefined;
  // As the hub does: small files are sent, large ones redirected to a store at another origin.
  store = await testServer((request, response) => {
    if (trick?.(request, response)) return;
    sendFile(request, response, files[request.url!.split('/').at(-1)!.split('?')[0]!]!);
  });
  hub = await testServer((request, response) => {
    const name = request.url!.slice(`/owner/tiny/resolve/${revision}/`.length);
    const bytes = files[name];
    if (request.url!.startsWith('/renamed/')) {
      response.writeHead(307, { location: request.url!.replace('/renamed/', '/owner/') }).end();
    } else if (bytes === undefined) response.writeHead(404).end();
    else if (name.endsWith('.safetensors')) {
      const etag = `"${createHash('sha256').update(weights).digest('hex')}"`;
      const location = `${store.url}/blob/${name}?signed=${hub.requests.length}`;
      response.writeHead(302, { location, 'x-linked-size': weights.length, 'x-linked-etag': etag }).end();
    } else sendFile(request, response, bytes);
  });
  dataFolder = await mkdtemp(join(tmpdir(), 'ailo-hub-'));
  options = { dataFolder, env: { HF_ENDPOINT: `${hub.url}/` } };
});
afterEach(async () => {
  await Promise.all([hub.close(), store.close(), rm(dataFolder, { recursive: true })]);
});

const folder = () => join(dataFolder, 'owner', revision, 'tiny');
const read = async (name: string) => new Uint8Array(await readFile(join(folder(), name)));
const names = async () => (await readdir(folder())).sort();

describe('downloadHubModel', () => {
  it('brings what the model has, through redirects to another origin, and tells how far it is', async () => {
    files['chat_template.jinja'] = text('x');
    const progress: [string, number, number][] = [];
    const onProgress = (...args: [string, number, number]) => progress.push(args);
    expect(await downloadHubModel(model, { ...options, onProgress })).toBe(folder());
    expect(await names()).toEqual(['chat_template.jinja', 'config.json', 'model.safetensors', 'tokenizer.json']);
    expect(Buffer.compare(await read('model.safetensors'), weights)).toBe(0);
    expect(progress.at(-1)).toEqual(['model.safetensors', weights.length, weights.length]);
  });

  it('asks for nothing twice', async () => {
    await downloadHubModel(model, options);
    const asked = store.requests.length;
    await downloadHubModel(model, options);
    expect(store.requests).toHaveLength(asked);
  });

  it('shows the token to the hub only', async () => {
    await downloadHubModel(model, { ...options, env: { ...options.env, HF_TOKEN: 'hf_secret' } });
    expect(hub.requests.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
    expect(store.requests.length).toBeGreaterThan(0);
    expect(store.requests.every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  it('goes on where the connection broke off', async () => {
    let breaks = 3;
    trick = (request, response) => {
      if (breaks-- <= 0) return false;
      const from = Number(/=(\d+)-/.exec(request.headers.range ?? '=0-')![1]);
      const headers = { 'content-range': `bytes ${from}-${weights.length - 1}/${weights.length}` };
      response.writeHead(from === 0 ? 200 : 206, from === 0 ? {} : headers);
      response.write(weights.subarray(from, from + 50_000), () => setTimeout(() => response.destroy(), 20));
      return true;
    };
    await downloadHubModel(model, options);
    expect(Buffer.compare(await read('model.safetensors'), weights)).toBe(0);
    expect(store.requests.map(({ range }) => range)).toEqual([
      undefined,
      'bytes=50000-',
      'bytes=100000-',
      'bytes=150000-',
    ]);
    expect(new Set(store.requests.map(({ url }) => url)).size).toBe(4);
  });

  it('goes on with what an earlier run left, or begins anew where the server cannot', async () => {
    await downloadHubModel(model, options);
    for (const ignoresRanges of [false, true]) {
      await rm(join(folder(), 'model.safetensors'));
      await writeFile(join(folder(), 'model.safetensors.part'), weights.subarray(0, 123));
      trick = (_, response) => {
        if (ignoresRanges) response.writeHead(200).end(weights);
        return ignoresRanges;
      };
      await downloadHubModel(model, options);
      expect(store.requests.at(-1)!.range).toBe('bytes=123-');
      expect(Buffer.compare(await read('model.safetensors'), weights)).toBe(0);
    }
    expect(await names()).toEqual(['config.json', 'model.safetensors', 'tokenizer.json']);
  });

  it('keeps what has arrived when it is cancelled, under another name', async () => {
    const leave = new AbortController();
    trick = (_, response) => {
      response.writeHead(200);
      response.write(weights.subarray(0, 1000));
      return true;
    };
    const onProgress = (path: string) => {
      if (path === 'model.safetensors') leave.abort();
    };
    const run = downloadHubModel(model, { ...options, onProgress, signal: leave.signal });
    await expect(run).rejects.toMatchObject({ code: 'CANCELLED' });
    expect(await names()).toEqual(['config.json', 'model.safetensors.part', 'tokenizer.json']);
    expect(await read('model.safetensors.part')).toHaveLength(1000);
  });

  it('throws away what is not what the hub promised, and leaves no file', async () => {
    files['model.safetensors'] = weights.map((byte, i) => (i === 77 ? byte ^ 1 : byte));
    const run = downloadHubModel(model, options);
    await expect(run).rejects.toMatchObject({
      code: 'MODEL_SOURCE_FAILED',
      message: expect.stringContaining('not what the server promised'),
    });
    expect(await names()).toEqual(['config.json', 'tokenizer.json']);
  });

  it('refuses more than was promised', async () => {
    trick = (_, response) => {
      response.writeHead(200).end(Buffer.concat([weights, weights]));
      return true;
    };
    await expect(downloadHubModel(model, options)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    expect(await names()).not.toContain('model.safetensors');
  });

  it('gives up on a store that refuses', async () => {
    trick = (_, response) => {
      response.writeHead(403).end();
      return true;
    };
    await expect(downloadHubModel(model, options)).rejects.toMatchObject({
      message: expect.stringContaining('status 403'),
    });
    expect(store.requests).toHaveLength(1);
  });

  it('brings every shard of an index, once', async () => {
    delete files['model.safetensors'];
    const weight_map = { a: 'model-1.safetensors', b: 'model-2.safetensors', c: 'model-1.safetensors' };
    files['model.safetensors.index.json'] = text(JSON.stringify({ weight_map }));
    files['model-1.safetensors'] = weights;
    await expect(downloadHubModel(model, options)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    files['model-2.safetensors'] = weights;
    await downloadHubModel(model, options);
    expect(await names()).toContain('model-2.safetensors');
    expect(store.requests).toHaveLength(2);
  });

  it('never writes where an index points outside', async () => {
    delete files['model.safetensors'];
    files['model.safetensors.index.json'] = text(JSON.stringify({ weight_map: { a: '../../x.safetensors' } }));
    await expect(downloadHubModel(model, options)).rejects.toMatchObject({ code: 'SAFETENSORS_HEADER_INVALID' });
  });

  it('follows a repository to its new name', async () => {
    await downloadHubModel({ ...model, repo: 'renamed/tiny' }, options);
    expect(await readdir(join(dataFolder, 'renamed', revision, 'tiny'))).toContain('model.safetensors');
  });

  it.each([
    ['../x', revision],
    ['owner/..', revision],
    ['tiny', revision],
    ['a/b/c', revision],
    ['owner/tiny', 'main'],
    ['owner/tiny', '../x'],
  ])('refuses %s at %s', async (repo, at) => {
    const run = downloadHubModel({ repo, revision: at }, options);
    await expect(run).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
    expect(hub.requests).toEqual([]);
  });

  it('says what is missing, and when nobody is there', async () => {
    delete files['tokenizer.json'];
    const missing = { code: 'MODEL_FILE_MISSING', message: expect.stringContaining('tokenizer.json') };
    await expect(downloadHubModel(model, options)).rejects.toMatchObject(missing);
    const nobody = downloadHubModel(model, { ...options, env: { HF_ENDPOINT: 'http://127.0.0.1:9' } });
    await expect(nobody).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
  });
});
