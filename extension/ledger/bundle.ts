import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Writes `ledger-worker.js` to `outDir`, beside the page that starts the worker. */
export async function bundleLedger(outDir: string): Promise<void> {
  await build({
    entryPoints: { 'ledger-worker': fileURLToPath(new URL('worker.ts', import.meta.url)) },
    outdir: outDir,
    bundle: true,
    format: 'esm',
    target: 'chrome124',
    minify: true,
    sourcemap: 'linked',
    logLevel: 'warning',
  });
}
