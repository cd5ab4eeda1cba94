import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify from 'fastify';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleCompute } from '../../extension/compute/bundle.ts';
import { launchChromium, WEBGPU_ARGS } from '../../server/browser.ts';
import { type ReferenceErrors, TRAINING_MODELS } from '../fixtures/training-reference.ts';

/** What makes a page cross-origin isolated, so that it gets threads. */
const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const fixtures = fileURLToPath(new URL('../fixtures/training/', import.meta.url));
const server = Fastify();
let site: string;
let url: string;

beforeAll(async () => {
  site = await mkdtemp(join(tmpdir(), 'ailo-training-'));
  await bundleCompute(site);
  await build({
    entryPoints: { 'training-worker': fileURLToPath(new URL('training-worker.ts', import.meta.url)) },
    outdir: site,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'warning',
  });
  await writeFile(join(site, 'index.html'), '<!doctype html><title>training</title>');
  server.addHook('onSend', async (_, reply) => {
    reply.headers(ISOLATION);
  });
  await server.register(fastifyStatic, { root: site });
  await server.register(fastifyStatic, { root: fixtures, prefix: '/training/', decorateReply: false });
  url = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await server.close();
  await rm(site, { recursive: true });
});

/** WebGPU in software compiles its shaders for seconds: two models have all the operators. */
const CASES = [
  { engine: 'wasm', form: 'whole', models: TRAINING_MODELS },
  { engine: 'wasm', form: 'blocks', models: TRAINING_MODELS },
  { engine: 'webgpu', form: 'whole', models: ['gpt2', 'llama'] },
] as const;

describe.each(CASES)('training on $engine in Chromium ($form) agrees with PyTorch:', ({ engine, form, models }) => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchChromium(engine === 'webgpu' ? { args: WEBGPU_ARGS } : {});
  });
  afterAll(() => browser.close());

  test.each(models)('loss, gradients and five AdamW steps of %s', async (model) => {
    const page = await browser.newPage();
    await page.goto(url);
    const answer = await page.evaluate(
      (job) =>
        new Promise<{ errors?: ReferenceErrors; failure?: string }>((resolve) => {
          const worker = new Worker('training-worker.js', { type: 'module' });
          worker.addEventListener('message', ({ data }) => resolve(data));
          worker.addEventListener('error', ({ message }) => resolve({ failure: message }));
          worker.postMessage(job);
        }),
      { engine, form, model },
    );
    await page.close();
    expect(answer.failure).toBeUndefined();
    const { loss, path, gradients, weights } = answer.errors!;
    expect(loss).toBeLessThan(1e-5);
    expect(path).toBeLessThan(1e-4);
    expect(Math.max(...Object.values(gradients), ...Object.values(weights))).toBeLessThan(1e-4);
  });
});
