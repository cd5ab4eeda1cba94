import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleCompute } from '../../extension/compute/bundle.ts';
import { launchChromium, WEBGPU_ARGS } from '../../server/browser.ts';
import { type ReferenceErrors, TRAINING_MODELS } from '../fixtures/training-reference.ts';
import { bundleForBrowser, EMPTY_PAGE, openIsolatedSite, type Site } from '../isolated-site.ts';

const fixtures = fileURLToPath(new URL('../fixtures/training/', import.meta.url));
let site: Site;

beforeAll(async () => {
  site = await openIsolatedSite(
    async (to) => {
      await bundleCompute(to);
      await bundleForBrowser(to, [fileURLToPath(new URL('training-worker.ts', import.meta.url))]);
      await cp(fixtures, join(to, 'training'), { recursive: true });
    },
    { page: EMPTY_PAGE },
  );
});
afterAll(() => site.close());

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
    await page.goto(site.url);
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
