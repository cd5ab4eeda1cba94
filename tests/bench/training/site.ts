/** The benchmark's page with everything that the engines load. */
import { copyFile, mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCompute } from '../../../extension/compute/bundle.ts';
import { bundleForBrowser, openIsolatedSite, type Site } from '../../isolated-site.ts';

const SCRIPTS = ['page', 'ours-worker'];
const TFJS_FILES = ['', '-simd', '-threaded-simd'].map((variant) => `tfjs-backend-wasm${variant}.wasm`);

export function openSite(): Promise<Site> {
  return openIsolatedSite(async (folder) => {
    const scripts = SCRIPTS.map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
    await Promise.all([bundleCompute(folder), bundleForBrowser(folder, scripts), copyTfjs(join(folder, 'tfjs'))]);
  });
}

async function copyTfjs(folder: string): Promise<void> {
  const package_ = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json'));
  await mkdir(folder);
  await Promise.all(TFJS_FILES.map((file) => copyFile(join(package_, 'wasm-out', file), join(folder, file))));
}
