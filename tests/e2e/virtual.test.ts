import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify from 'fastify';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleCompute } from '../../extension/compute/bundle.ts';
import { launchProfile } from '../../server/browser.ts';
import type { Job, Message } from './virtual-worker.ts';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const server = Fastify();
let folder: string;
let url: string;
let context: BrowserContext;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-virtual-'));
  const site = join(folder, 'site');
  await bundleCompute(site);
  await build({
    entryPoints: { 'virtual-worker': fileURLToPath(new URL('virtual-worker.ts', import.meta.url)) },
    outdir: site,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'warning',
  });
  await writeFile(join(site, 'index.html'), '<!doctype html><title>virtual</title>');
  server.addHook('onSend', async (_, reply) => {
    reply.headers(ISOLATION);
  });
  await server.register(fastifyStatic, { root: site });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
  context = await launchProfile(join(folder, 'profile'));
});
afterAll(async () => {
  await context.close();
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a job in a tab of its own, which is closed at the first message that `until` accepts. */
async function inTab(job: Job, until: (message: Message) => boolean): Promise<Message> {
  const page = await context.newPage();
  try {
    await page.goto(url);
    let enough: (message: Message) => void;
    const last = new Promise<Message>((resolve) => {
      enough = resolve;
    });
    await page.exposeFunction('told', (message: Message) => {
      if ('failure' in message || until(message)) enough(message);
    });
    await page.evaluate((job) => {
      const worker = new Worker('virtual-worker.js', { type: 'module' });
      const told = (globalThis as unknown as { told(message: unknown): void }).told;
      worker.addEventListener('message', ({ data }) => told(data));
      worker.addEventListener('error', ({ message }) => told({ failure: message }));
      worker.postMessage(job);
    }, job);
    return await last;
  } finally {
    await page.close();
  }
}

test('a training whose weights lie on the disk goes on where a tab was closed, to the weights that memory makes', async () => {
  const done = (message: Message) => 'hash' in message;
  const inMemory = await inTab({ where: 'memory', steps: 6 }, done);
  expect(inMemory).toHaveProperty('hash');
  const first = await inTab({ where: 'files', steps: 6 }, (message) => 'step' in message && message.step === 2);
  expect(first).toEqual({ step: 2 });
  const second = await inTab({ where: 'files', steps: 6 }, (message) => 'step' in message);
  expect(second).toEqual({ step: expect.any(Number) });
  const last = await inTab({ where: 'files', steps: 6 }, done);
  expect(last).toEqual({ hash: (inMemory as { hash: string }).hash, resumedAt: expect.any(Number), fetched: 0 });
  expect((last as { resumedAt: number }).resumedAt).toBeGreaterThanOrEqual(3);
});
