/** The benchmark's page with everything that the engines load. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCompute } from '../../../extension/compute/bundle.ts';
import { bundleForBrowser, openIsolatedSite, type Site } from '../../isolated-site.ts';
import { CONFIG_FILES, configOf, type SoloModel } from './models.ts';
import { peerGraph } from './peer-graph.ts';

const SCRIPTS = ['page', 'transformers-worker'];

export function openSite(models: readonly SoloModel[], contextLength: number): Promise<Site> {
  return openIsolatedSite(async (folder) => {
    const scripts = SCRIPTS.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
    await Promise.all([bundleCompute(folder), bundleForBrowser(folder, scripts), copyWllama(folder)]);
    for (const model of models) await writePeerModel(join(folder, 'models', model), model, contextLength);
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
