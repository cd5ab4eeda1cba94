import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { buildKernels } from './build-kernels.ts';
import { ORT_BUILDS } from './ort-builds.ts';

/** One of the two is loaded, by engine; see ORT_BUILDS. */
const ORT_FILES = Object.values(ORT_BUILDS).flatMap((build) => [`${build}.mjs`, `${build}.wasm`]);

/** Writes `compute-worker.js`, `training-worker.js`, `file-worker.js`, what they share, the kernels and onnxruntime's files to `outDir`, beside the page that starts them. */
export async function bundleCompute(outDir: string): Promise<void> {
  await mkdir(outDir, { recursive: true });
  await build({
    entryPoints: ['compute-worker', 'training-worker', 'file-worker', 'kernel-thread', 'ort-module'].map(source),
    splitting: true,
    outdir: outDir,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    // Otherwise every thread of the WASM pool would run this whole bundle again.
    conditions: ['onnxruntime-web-use-extern-wasm'],
    external: [`./${ORT_BUILDS.wasm}.mjs`],
    logLevel: 'warning',
  });
  const dist = dirname(createRequire(import.meta.url).resolve('onnxruntime-web/webgpu'));
  await writeFile(join(outDir, 'kernels.wasm'), await buildKernels());
  await Promise.all(ORT_FILES.map((file) => copyFile(join(dist, file), join(outDir, file))));
}

function source(name: string): string {
  return fileURLToPath(new URL(`${name}.ts`, import.meta.url));
}
