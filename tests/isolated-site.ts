/** A page of a test or benchmark, cross-origin isolated so that it gets threads, with everything that it loads. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify from 'fastify';
import { ISOLATION } from '../server/browser.ts';

const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><title>Ailo</title><script type="module" src="page.js"></script>';
/** For those whose scripts are workers. */
export const EMPTY_PAGE = '<!doctype html><link rel="icon" href="data:,"><title>Ailo</title>';

export interface Site {
  url: string;
  close(): Promise<void>;
}

/**
 * Serves a new folder in which `fill` puts `page.js` and what that needs; closing removes it. `onRequest` is told the path of
 * each request.
 */
export async function openIsolatedSite(
  fill: (folder: string) => Promise<void>,
  { page = PAGE, onRequest }: { page?: string; onRequest?(path: string): void } = {},
): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-site-'));
  const server = Fastify();
  const close = async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await fill(folder);
    await writeFile(join(folder, 'index.html'), page);
    server.addHook('onSend', async ({ url }, reply) => {
      reply.headers(ISOLATION);
      onRequest?.(url);
    });
    await server.register(fastifyStatic, { root: folder });
    return { url: await server.listen({ host: '127.0.0.1', port: 0 }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Bundles scripts for the browser, each under its own name. */
export async function bundleForBrowser(folder: string, scripts: readonly string[]): Promise<void> {
  await build({
    entryPoints: [...scripts],
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome124',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'error',
  });
}
