import { beforeEach, expect, it } from 'vitest';
import { buildManifest, encodeManifest, manifestHash } from '../model/manifest.ts';
import { memorySource } from '../model/memory-source.ts';
import { memoryChunkStore } from '../model/verified.ts';
import { openModelFiles } from './model-files.ts';

const files = { 'config.json': new TextEncoder().encode('{"a":1}'), 'w.bin': new Uint8Array(200_000).fill(7) };
const origin = { repo: 'owner/tiny', revision: 'a'.repeat(40) };
const described = { id: 'tiny', name: 'Tiny', paths: Object.keys(files), chunkBytes: 65_536 };
const manifest = await buildManifest(memorySource(files), { ...described, origin });

let asked: string[];
/** What the coordinator does when it is asked for a file. */
let coordinator: (url: string, init: RequestInit) => Response;
beforeEach(() => {
  asked = [];
  coordinator = sent;
});

function sent(url: string, init: RequestInit): Response {
  const bytes = files[url.split('/').at(-1)! as keyof typeof files];
  const range = /^bytes=(\d+)-(\d+)$/.exec(new Headers(init.headers).get('range')!)!;
  const [start, end] = [Number(range[1]), Number(range[2]) + 1];
  const headers = { 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
  return new Response(bytes.slice(start, end), { status: 206, headers });
}

const fetchIt = async (input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> => {
  const url = String(input);
  asked.push(`${new URL(url).host}${new Headers(init.headers).has('authorization') ? ' with a token' : ''}`);
  if (url.startsWith(`https://huggingface.co/owner/tiny/resolve/${origin.revision}/`)) return sent(url, init);
  if (url.endsWith('manifest') || url.endsWith('manifest.json')) return new Response(encodeManifest(served));
  return coordinator(url, init);
};
let served = manifest;

async function readsRight(): Promise<boolean> {
  const options = { url: 'http://coordinator', fetch: fetchIt, chunks: memoryChunkStore(), now: () => 0 };
  const source = await openModelFiles({ model: 'tiny', manifestHash: await manifestHash(served) }, options);
  const bytes = await source.readFile('w.bin', 1e6);
  return bytes.length === files['w.bin'].length && bytes.every((byte) => byte === 7);
}

it('comes from the coordinator, and nobody else is asked', async () => {
  expect(await readsRight()).toBe(true);
  expect(new Set(asked)).toEqual(new Set(['coordinator']));
});

it.each([
  ['fails', () => new Response('', { status: 503 })],
  ['sends something else', (url: string, init: RequestInit) => spoilt(sent(url, init))],
])('comes from the hub, without a token, where the coordinator %s', async (_, answer) => {
  coordinator = answer;
  expect(await readsRight()).toBe(true);
  expect(new Set(asked)).toEqual(new Set(['coordinator', 'huggingface.co']));
});

it('is asked of no hub where the model is not from there', async () => {
  served = await buildManifest(memorySource(files), described);
  coordinator = () => new Response('', { status: 503 });
  await expect(readsRight()).rejects.toMatchObject({ code: 'MODEL_SOURCE_FAILED' });
  expect(new Set(asked)).toEqual(new Set(['coordinator']));
});

function spoilt(response: Response): Response {
  const length = Number(/-(\d+)\//.exec(response.headers.get('content-range')!)![1]) % 65_536;
  return new Response(new Uint8Array(length + 1), { status: 206, headers: response.headers });
}
