/** What Node's unit tests hold of the ledger, in a real Chromium: its IndexedDB, its WebCrypto, its JavaScript. */
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { launchChromium } from '../../server/browser.ts';
import { replicaCases } from '../../shared/replica/cases.ts';
import { benchReplay } from '../bench/replay.ts';
import { OUTSIDE_FILES } from '../vectors/cases.ts';

const OUTSIDE = new URL('../../../shared/vectors/', import.meta.url);
const GOLDEN = new URL('../vectors/ledger.json', import.meta.url);
const missing = !existsSync(OUTSIDE);
if (missing) console.warn(`Skipping the outside vectors: there is no folder ${OUTSIDE.pathname}`);

let server: Server;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  const bundle = await build({
    entryPoints: [fileURLToPath(new URL('replica-page.ts', import.meta.url))],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'chrome124',
    logLevel: 'warning',
  });
  server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(
      isScript ? bundle.outputFiles[0]!.contents : '<!doctype html><script type="module" src="page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await launchChromium();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await page.waitForFunction(() => 'ailoGolden' in globalThis);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

const json = (url: URL) => JSON.parse(readFileSync(url, 'utf8'));

describe('a replica in IndexedDB', () => {
  test.each(replicaCases)('$name', async ({ name }) => {
    await page.evaluate((asked) => globalThis.ailoReplicaCase(asked), name);
  });
});

describe('vectors in Chromium', () => {
  test.skipIf(missing).each(OUTSIDE_FILES)('%s', async (path, _, count) => {
    const found = await page.evaluate(([file, content]) => globalThis.ailoOutside(file as string, content), [
      path,
      json(new URL(path, OUTSIDE)),
    ] as const);
    expect(found).toEqual({ count, failed: [] });
  });

  test('our own', async () => {
    const vectors = json(GOLDEN);
    const found = await page.evaluate((content) => globalThis.ailoGolden(content as never), vectors);
    expect(found.failed).toEqual([]);
    expect(found.count).toBe(3 + vectors.transactions.length + vectors.tiles.length);
    expect(found.verdicts.length).toBeGreaterThan(5);
    expect(found.verdicts.every(Boolean)).toBe(true);
  });
});

test('the extension’s workers replay a log of real signatures over HTTP', async () => {
  const figures = await benchReplay({ transfers: 2000 });
  expect(figures.transactions).toBeGreaterThan(2000);
  expect(figures.entries).toBeGreaterThan(figures.transactions);
});
