/**
 * How fast a client replays the whole ledger: a seeded log over loopback HTTP, the real replica in its worker in headless
 * Chromium, every signature and rule checked, everything stored in IndexedDB.
 *
 *     npx tsx tests/bench/replay.ts [transfers]
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesToHex } from '@noble/hashes/utils.js';
import { build } from 'esbuild';
import { bundleLedger } from '../../extension/ledger/bundle.ts';
import { launchChromium } from '../../server/browser.ts';
import { describeSeal } from '../../shared/ledger/checkpoint.ts';
import { peakRendererBytes } from './renderer-memory.ts';
import { makeReplayLog, type ReplayLog } from './replay-log.ts';

export interface ReplayFigures {
  /** Rewards and transfers that were replayed; receipts and cosignatures come on top. */
  transactions: number;
  entries: number;
  seconds: number;
  transactionsPerSecond: number;
  /** Downloaded. */
  bytesPerTransaction: number;
  /** To read it back from IndexedDB afterwards. */
  openSeconds: number;
  /** Resident, of the renderer that holds the page and its worker; where the system tells. */
  peakMemoryBytes?: number;
}

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><title>replay</title><script type="module" src="replay-page.js"></script>';

export async function benchReplay({ transfers = 50_000, seed = 1 } = {}): Promise<ReplayFigures> {
  const log = makeReplayLog(transfers, seed);
  const site = await mkdtemp(join(tmpdir(), 'ailo-replay-'));
  const cleanUp: (() => Promise<unknown>)[] = [() => rm(site, { recursive: true, force: true })];
  try {
    await bundleSite(site);
    const server = await listen(serve(log, site));
    cleanUp.push(async () => server.close());
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const browser = await launchChromium();
    cleanUp.push(() => browser.close());
    const page = await browser.newPage();
    page.on('console', (message) => console.error(message.text()));
    await page.goto(url);
    const options = { url, publicKey: [...log.publicKey] };
    const { replayMs, openMs } = await page.evaluate((asked) => globalThis.ailoReplay(asked), options);
    const peakMemoryBytes = await peakRendererBytes(browser);
    const seconds = replayMs / 1000;
    return {
      transactions: log.transactions,
      entries: log.size,
      seconds,
      transactionsPerSecond: log.transactions / seconds,
      bytesPerTransaction: log.tiles.reduce((sum, { length }) => sum + length, 0) / log.transactions,
      openSeconds: openMs / 1000,
      ...(peakMemoryBytes !== undefined && { peakMemoryBytes }),
    };
  } finally {
    for (const step of cleanUp.reverse()) await step();
  }
}

async function bundleSite(site: string): Promise<void> {
  await bundleLedger(site);
  await build({
    entryPoints: { 'replay-page': fileURLToPath(new URL('replay-page.ts', import.meta.url)) },
    outdir: site,
    bundle: true,
    format: 'esm',
    target: 'chrome124',
    logLevel: 'warning',
  });
  await writeFile(join(site, 'index.html'), PAGE);
}

/** The parts of the coordinator's API that a replica needs, from memory, and the page itself. */
function serve({ network, seal, tiles }: ReplayLog, site: string): RequestListener {
  const { genesis, id } = network;
  const answers: Record<string, object> = {
    '/v1/network': { networkId: bytesToHex(id), name: genesis.name, genesis, publicKey: genesis.publicKey },
    '/v1/checkpoint': describeSeal(seal),
  };
  return async (request, response) => {
    const path = request.url ?? '/';
    const [, index] = /^\/v1\/tiles\/(\d+)/.exec(path) ?? [];
    const tile = index === undefined ? undefined : tiles[Number(index)];
    if (tile) {
      response.end(tile);
    } else if (answers[path]) {
      response.end(JSON.stringify(answers[path]));
    } else if (/^\/[a-z-]*(\.js)?$/.test(path)) {
      const file = path === '/' ? 'index.html' : path.slice(1);
      response.setHeader('Content-Type', file.endsWith('.js') ? 'text/javascript' : 'text/html');
      response.end(await readFile(join(site, file)).catch(() => ''));
    } else {
      response.statusCode = 404;
      response.end();
    }
  };
}

function listen(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const transfers = Number(process.argv[2] ?? 50_000);
  if (!Number.isSafeInteger(transfers) || transfers < 1) throw new RangeError('how many transfers must be a number');
  console.log(JSON.stringify(await benchReplay({ transfers })));
}
