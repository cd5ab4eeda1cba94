import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const SOURCE = fileURLToPath(new URL('../../shared/kernels/assembly/index.ts', import.meta.url));
const OPTIONS = [
  // Not -O3: that moves the threads' waiting into the loop over the instructions, and there the baseline compiler of V8
  // (seen in Node.js 20) loses a local of the loop.
  ...['--runtime', 'stub', '--use', 'abort=', '--noAssert', '-O2'],
  ...['--importMemory', '--sharedMemory', '--initialMemory', '1', '--maximumMemory', '65536'],
  ...['--enable', 'simd', '--enable', 'threads'],
  // “v128 values are not supported by all embeddings”: none cross to JavaScript.
  ...['--disableWarning', '112'],
];

let built: Promise<Uint8Array<ArrayBuffer>> | undefined;

/** The kernels as a WebAssembly module, compiled once a process. */
export function buildKernels(): Promise<Uint8Array<ArrayBuffer>> {
  built ??= compile();
  return built;
}

/** In a process of its own: the loader of ours would first transform the compiler, which takes longer than all else. */
async function compile(): Promise<Uint8Array<ArrayBuffer>> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-kernels-'));
  try {
    const compiler = dirname(createRequire(import.meta.url).resolve('assemblyscript/package.json'));
    const module = join(folder, 'kernels.wasm');
    await promisify(execFile)(process.execPath, [
      join(compiler, 'bin/asc.js'),
      SOURCE,
      '--outFile',
      module,
      ...OPTIONS,
    ]);
    return Uint8Array.from(await readFile(module));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
