import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleCompute } from '../../extension/compute/bundle.ts';
import { launchProfile } from '../../server/browser.ts';
import { bundleForBrowser, EMPTY_PAGE, openIsolatedSite, type Site } from '../isolated-site.ts';
import type { Job, Message } from './virtual-worker.ts';

let folder: string;
let site: Site;
let context: BrowserContext;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-virtual-'));
  site = await openIsolatedSite(
    async (to) => {
      await bundleCompute(to);
      await bundleForBrowser(to, [fileURLToPath(new URL('virtual-worker.ts', import.meta.url))]);
    },
    { page: EMPTY_PAGE },
  );
  context = await launchProfile(join(folder, 'profile'));
});
afterAll(async () => {
  await context.close();
  await site.close();
  await rm(folder, { recursive: true, force: true });
});

/** Runs a job in a tab of its own, which is closed at the first message that `until` accepts. */
async function inTab(job: Job, until: (message: Message) => boolean): Promise<Message> {
  const page = await context.newPage();
  try {
    await page.goto(site.url);
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
