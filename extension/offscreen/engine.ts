import type { Runtime } from '../../shared/runtime/types.ts';
import { createWorkerRuntime } from '../compute/client.ts';

/** What a tab may take without its neighbours noticing: a quarter of the memory, but enough for a small stage. */
const BUDGET_SHARE = 1 / 4;
const MIN_BUDGET_BYTES = 512 * 2 ** 20;
/** `navigator.deviceMemory` is missing in some browsers; most machines have at least so much. */
const DEFAULT_MEMORY_GIB = 4;

/** The best engine of this browser: WebGPU on real hardware, else WASM. */
export async function createBrowserRuntime(): Promise<Runtime> {
  const { deviceMemory = DEFAULT_MEMORY_GIB } = navigator as { deviceMemory?: number };
  return createWorkerRuntime({
    engine: (await hasHardwareWebGpu()) ? 'webgpu' : 'wasm',
    budgetBytes: Math.max(MIN_BUDGET_BYTES, deviceMemory * 2 ** 30 * BUDGET_SHARE),
  });
}

/** A software adapter computes the same, but slower than WASM. */
async function hasHardwareWebGpu(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  return adapter ? !adapter.info.isFallbackAdapter && adapter.info.architecture !== 'swiftshader' : false;
}
