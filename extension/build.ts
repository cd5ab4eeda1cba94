/** `npm run build`: the extension for one browser, ready to load unpacked. All code is in the bundle; none is fetched. */
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { bundleCompute } from './compute/bundle.ts';
import { bundleLedger } from './ledger/bundle.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DEFAULT_COORDINATOR_URL = 'http://127.0.0.1:8790';

export interface BuildOptions {
  /** Emptied first. */
  outDir: string;
  /** What a fresh profile connects to; people change it on the consent page. */
  coordinatorUrl?: string;
}

export async function buildExtension({
  outDir,
  coordinatorUrl = DEFAULT_COORDINATOR_URL,
}: BuildOptions): Promise<void> {
  await rm(outDir, { recursive: true, force: true });
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    bundlePages(outDir, coordinatorUrl),
    bundleCompute(outDir),
    bundleLedger(outDir),
    writeManifest(outDir),
    cp(join(ROOT, 'extension/icons'), join(outDir, 'icons'), { recursive: true }),
    copyPage('popup', outDir),
    copyPage('onboarding', outDir),
    copyPage('offscreen', outDir),
  ]);
}

async function bundlePages(outDir: string, coordinatorUrl: string): Promise<void> {
  await build({
    entryPoints: {
      background: join(ROOT, 'extension/background/main.ts'),
      offscreen: join(ROOT, 'extension/offscreen/main.ts'),
      popup: join(ROOT, 'extension/popup/main.tsx'),
      onboarding: join(ROOT, 'extension/onboarding/main.tsx'),
    },
    outdir: outDir,
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'chrome124',
    minify: true,
    sourcemap: 'linked',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: {
      AILO_COORDINATOR_URL: JSON.stringify(coordinatorUrl),
      AILO_VERSION: JSON.stringify((await readManifest('base')).version),
    },
    logLevel: 'warning',
  });
}

/** Lists of the base manifest are extended, everything else is replaced. */
async function writeManifest(outDir: string): Promise<void> {
  const [base, browser] = await Promise.all(['base', 'chrome'].map(readManifest));
  const permissions = [...(base!.permissions as string[]), ...((browser!.permissions as string[] | undefined) ?? [])];
  const manifest = { ...base, ...browser, permissions };
  await writeFile(join(outDir, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

async function readManifest(name: string): Promise<Record<string, unknown>> {
  return JSON.parse(await readFile(join(ROOT, 'manifest', `${name}.json`), 'utf8'));
}

function copyPage(name: string, outDir: string): Promise<void> {
  return cp(join(ROOT, 'extension', name, 'index.html'), join(outDir, `${name}.html`));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outDir = join(ROOT, 'dist/chrome');
  await buildExtension({ outDir });
  console.log(`The extension is in ${outDir}: load it at chrome://extensions (Developer mode, Load unpacked).`);
}
