import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Writes `ledger-worker.js` to `outDir`, beside the page that starts it, and the `verify-worker.js` that it starts. */
export async function bundleLedger(outDir: string): Promise<void> {
  await build({
    entryPoints: {
      'ledger-worker': fileURLToPath(new URL('worker.ts', import.meta.url)),
      'verify-worker': fileURLToPath(new URL('verify-worker.ts', import.meta.url)),
    },
    outdir: outDir,
    bundle: true,
    format: 'esm',
    target: 'chrome124',
    minify: true,
    sourcemap: 'linked',
    logLevel: 'warning',
  });
}
