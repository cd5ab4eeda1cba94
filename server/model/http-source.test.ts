/** `httpSource` of shared/model, against a real server and one that misbehaves. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { httpSource } from '../../shared/model/source.ts';
import type { ModelSource } from '../../shared/model/types.ts';
import { sendFile, type TestServer, testServer } from './testing.ts';

const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i);
/** What the server does wrong, by the path that asks for it. */
const tricks: Record<string, (request: IncomingMessage, response: ServerResponse) => void> = {
  good: (request, response) => sendFile(request, response, bytes),
  empty: (request, response) => sendFile(request, response, new Uint8Array()),
  'ignores-ranges': (_, response) => response.writeHead(200).end(bytes),
  'another-range': (_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 20-29/1000' }).end(bytes.subarray(20, 30)),
  'no-range-header': (_, response) => response.writeHead(206).end(bytes.subarray(10, 20)),
  'too-much': (_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 10-19/1000' }).end(bytes.subarray(10, 40)),
  'too-little': (_, response) =>
    response.writeHead(206, { 'content-range': 'bytes 10-19/1000' }).end(bytes.subarray(10, 15)),
  'breaks-off': (_, response) => {
    response.writeHead(206, { 'content-range': 'bytes 10-19/1000', 'content-length': 10 });
    response.write(bytes.subarray(10, 15), () => response.destroy());
  },
  endless: (_, response) => {
    response.writeHead(200);
    const more = (): void => {
      if (!response.destroyed) response.write(new Uint8Array(65_536), more);
    };
    more();
  },
  'announces-much': (_, response) => response.writeHead(200, { 'content-length': 1e12 }).write('x'),
  'never-answers': () => undefined,
  fails: (_, response) => response.writeHead(500).end(),
};

let server: TestServer;
let source: ModelSource;
beforeAll(async () => {
  server = await testServer((request, response) => {
    const trick = tricks[request.url!.slice(1)];
    if (trick) trick(request, response);
    else response.writeHead(404).end();
  });
  source = httpSource({ fetch, urlOf: (path) => `${server.url}/${path}` });
});
afterAll(() => server.close());
afterEach(() => vi.useRealTimers());

describe('httpSource', () => {
  it('reads files, ranges and sizes', async () => {
    expect(await source.readFile('good', 1000)).toEqual(bytes);
    expect(await source.readRange('good', 10, 20)).toEqual(bytes.slice(10, 20));
    expect(await source.readRange('good', 999, 1000)).toEqual(bytes.slice(999));
    expect(await source.readRange('good', 5, 5)).toEqual(new Uint8Array());
    expect(await source.size('good')).toBe(1000);
    expect(await source.size('empty')).toBe(0);
    expect(server.requests.map(({ range }) => range)).toContain('bytes=10-19');
  });

  it('says what is missing', async () => {
    const missing = { code: 'MODEL_FILE_MISSING' };
    await expect(source.readFile('nothing', 1000)).rejects.toMatchObject(missing);
    await expect(source.readRange('nothing', 0, 1)).rejects.toMatchObject(missing);
    await expect(source.size('nothing')).rejects.toMatchObject(missing);
  });

  it.each([
    ['ignores-ranges', 'status 200'],
    ['another-range', 'another part'],
    ['no-range-header', 'another part'],
    ['too-much', 'more than it was asked for'],
    ['too-little', 'only 5 of 10 bytes arrived'],
    ['breaks-off', ''],
    ['fails', 'status 500'],
    ['good', ''],
  ])('refuses a range from a server that %s', async (path, reason) => {
    const [start, end] = path === 'good' ? [995, 1005] : [10, 20];
    const error = { code: 'MODEL_SOURCE_FAILED', message: expect.stringContaining(reason) };
    await expect(source.readRange(path, start!, end!)).rejects.toMatchObject(error);
  });

  it.each(['ignores-ranges', 'no-range-header', 'fails'])('learns no size from a server that %s', async (path) => {
    await expect(source.size(path)).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
  });

  it.each(['good', 'endless', 'announces-much'])('reads no more of “%s” than it may', async (path) => {
    await expect(source.readFile(path, 999)).rejects.toMatchObject({ code: 'MODEL_FILE_TOO_LARGE' });
  });

  it('gives up on a server that does not answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const read = expect(source.readRange('never-answers', 0, 10)).rejects.toMatchObject({
      code: 'MODEL_SOURCE_FAILED',
      message: expect.stringContaining('stopped sending'),
    });
    await vi.advanceTimersByTimeAsync(30_001);
    await read;
  });

  it('stops when it is cancelled', async () => {
    const leave = new AbortController();
    const read = source.readRange('never-answers', 0, 10, leave.signal);
    setTimeout(() => leave.abort(), 10);
    await expect(read).rejects.toMatchObject({ code: 'CANCELLED' });
    await expect(source.readFile('good', 1000, AbortSignal.abort())).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('says when nobody is there', async () => {
    const nobody = httpSource({ fetch, urlOf: () => 'http://127.0.0.1:9/' });
    await expect(nobody.size('x')).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
  });
});
