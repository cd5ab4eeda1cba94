/** The benchmark's page, cross-origin isolated, with everything that the engines load. */
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify from 'fastify';
import { bundleCompute } from '../../../extension/compute/bundle.ts';
import { CONFIG_FILES, configOf, type SoloModel } from './models.ts';
import { peerGraph } from './peer-graph.ts';

const ISOLATION = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };
const PAGE =
  '<!doctype html><link rel="icon" href="data:,"><title>solo</title><script type="module" src="page.js"></script>';

export interface Site {
  url: string;
  close(): Promise<void>;
}

export async function openSite(models: readonly SoloModel[], contextLength: number): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-solo-'));
  const server = Fastify();
  const close = async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await Promise.all([bundleCompute(folder), bundlePage(folder), copyWllama(folder)]);
    for (const model of models) await writePeerModel(join(folder, 'models', model), model, contextLength);
    await writeFile(join(folder, 'index.html'), PAGE);
    server.addHook('onSend', async (_, reply) => {
      reply.headers(ISOLATION);
    });
    await server.register(fastifyStatic, { root: folder });
    return { url: await server.listen({ host: '127.0.0.1', port: 0 }), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function bundlePage(folder: string): Promise<void> {
  await build({
    entryPoints: ['page', 'transformers-worker'].map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url))),
    outdir: folder,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome124',
    conditions: ['onnxruntime-web-use-extern-wasm'],
    logLevel: 'error',
  });
}

async function copyWllama(folder: string): Promise<void> {
  const esm = dirname(createRequire(import.meta.url).resolve('@wllama/wllama/esm/index.js'));
  await copyFile(join(esm, 'wasm/wllama.wasm'), join(folder, 'wllama.wasm'));
}

/** Transformers.js' layout of a quantised model, without the weights, which the page makes itself. */
async function writePeerModel(folder: string, model: SoloModel, contextLength: number): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await writeFile(join(folder, 'config.json'), JSON.stringify(CONFIG_FILES[model]));
  await writeFile(join(folder, 'onnx/model_quantized.onnx'), peerGraph(configOf(model), contextLength).onnx);
}
