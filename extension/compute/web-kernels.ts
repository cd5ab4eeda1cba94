import { AiloError } from '../../shared/errors/index.ts';
import type { Kernels, StartThread } from '../../shared/kernels/kernel-stage.ts';

/** Where `bundleCompute` puts them, seen from the worker. */
const MODULE_URL = 'kernels.wasm';
const THREAD_URL = 'kernel-thread.js';

/** The kernels, or undefined where this browser lacks what they are compiled for: SIMD and shared memory. */
export async function loadKernels(threads: number): Promise<Kernels | undefined> {
  // Only isolated pages have shared memory.
  if (!self.crossOriginIsolated) return undefined;
  const response = await fetch(MODULE_URL);
  const bytes = await response.arrayBuffer();
  if (!WebAssembly.validate(bytes)) return undefined;
  return { module: await WebAssembly.compile(bytes), threads, startThread };
}

const startThread: StartThread = (work) => {
  const worker = new Worker(THREAD_URL, { type: 'module', name: `ailo kernels ${work.thread}` });
  return new Promise((resolve, reject) => {
    worker.addEventListener('message', () => resolve(worker));
    worker.addEventListener('error', ({ message }) => {
      const reason = message || 'a thread of the kernels could not be started';
      reject(AiloError.of('ENGINE_UNAVAILABLE', { engine: 'wasm', reason }));
    });
    worker.postMessage(work);
  });
};
