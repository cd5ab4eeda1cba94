/** The benchmark's page and the weights of its model as chunks, made from a seed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify from 'fastify';
import { bundleCompute } from '../../../extension/compute/bundle.ts';
import type { ModelConfig } from '../../../shared/model/types.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { writeChunks } from '../../../shared/train/virtual/chunks.ts';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><title>virtual</title><script type="module" src="page.js"></script>';

export interface VirtualSite {
  url: string;
  /** A folder for the browser's profile, which is removed with the site. */
  profileDir: string;
  /** Requests for weights so far. */
  chunkRequests(): number;
  close(): Promise<void>;
}

export async function openVirtualSite(config: ModelConfig, seed: number): Promise<VirtualSite> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-virtual-'));
  const server = Fastify();
  let requests = 0;
  const close = async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const site = join(folder, 'site');
    await mkdir(join(site, 'chunks'), { recursive: true });
    await bundleCompute(site);
    await bundlePage(site);
    await writeFile(join(site, 'index.html'), PAGE);
    const tensors = tensorsOf(config, seed);
    const chunks = await writeChunks(tensors, (hash, bytes) => writeFile(join(site, 'chunks', hash), bytes));
    await writeFile(join(site, 'chunks.json'), JSON.stringify(chunks));
    server.addHook('onSend', async ({ url }, reply) => {
      reply.headers(ISOLATION);
      if (url.startsWith('/chunks/')) requests++;
    });
    await server.register(fastifyStatic, { root: site });
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    return { url, profileDir: join(folder, 'profile'), chunkRequests: () => requests, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function* tensorsOf(config: ModelConfig, seed: number): Generator<Float32Array> {
  const initial = initialiser(seed);
  for (const parameter of parametersOf(config)) yield initial(parameter);
}

async function bundlePage(folder: string): Promise<void> {
  await build({
    entryPoints: ['page', 'worker'].map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome124',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'error',
  });
}
