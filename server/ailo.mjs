#!/usr/bin/env node
/**
 * Runs `ailo` from its source, which is bundled first where it has changed: that takes less time than a loader for
 * TypeScript, and the process takes 55 MB less for as long as it lives, which of a node is long.
 */
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUT = join(ROOT, 'dist/ailo');
/** The newest bundle: its entry, and the files that it was made of with the times of their last change. */
const STAMP = join(OUT, 'newest.json');

/** What is found from where a source file lies is found from there still. */
const fromSource = {
  name: 'from-source',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const url = JSON.stringify(pathToFileURL(path).href);
      return { contents: text.replaceAll('import.meta.url', url), loader: 'ts' };
    });
  },
};

/** The entry of a bundle that is still true of the source. */
async function newest() {
  try {
    const { entry, inputs } = JSON.parse(await readFile(STAMP, 'utf8'));
    const changes = await Promise.all(Object.entries(inputs).map(async ([path, ms]) => (await changedMs(path)) !== ms));
    return changes.includes(true) ? undefined : entry;
  } catch {
    return undefined;
  }
}

async function changedMs(path) {
  return (await stat(join(ROOT, path))).mtimeMs;
}

async function bundle() {
  // It stays in memory once it is there.
  const { build, stop } = await import('esbuild');
  const beganMs = Date.now();
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['server/main.ts'],
    outdir: OUT,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    // A command loads what it needs.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    plugins: [fromSource],
    logLevel: 'error',
    metafile: true,
    write: false,
  });
  await stop();
  const inputs = Object.keys(metafile.inputs).map(async (path) => {
    const ms = await changedMs(path);
    // What changed meanwhile may not be in it.
    return [path, ms < beganMs ? ms : 0];
  });
  const entry = outputFiles.find(({ path }) => path.startsWith(join(OUT, 'main-'))).path;
  await mkdir(OUT, { recursive: true });
  // Their names tell what is in them.
  for (const { path, contents } of outputFiles) await put(path, contents);
  await put(STAMP, JSON.stringify({ entry, inputs: Object.fromEntries(await Promise.all(inputs)) }));
  return entry;
}

/** At once, since another process may read it. */
async function put(path, contents) {
  const partial = `${path}.${process.pid}`;
  await writeFile(partial, contents);
  await rename(partial, path);
}

await import(pathToFileURL((await newest()) ?? (await bundle())).href);
