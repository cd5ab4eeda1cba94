import type { Engine, Runtime } from '../../shared/runtime/types.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { placeOf } from '../../shared/train/campaign/memory.ts';
import type { Learner } from '../../shared/train/campaign/worker.ts';
import { createWorkerRuntime } from '../compute/client.ts';
import { createWorkerLearner } from '../compute/learner-client.ts';
import type { Settings } from '../state.ts';
import { storageBudget } from './storage-budget.ts';

/** What a tab may take without its neighbours noticing: a quarter of the memory, but enough for a small stage. */
const BUDGET_SHARE = 1 / 4;
const MIN_BUDGET_BYTES = 512 * 2 ** 20;
/** `navigator.deviceMemory` is missing in some browsers; most machines have at least so much. */
const DEFAULT_MEMORY_GIB = 4;

/** The engine that was chosen, or the best of this browser: WebGPU on real hardware, else WASM. */
export async function createBrowserRuntime(settings: Choice): Promise<Runtime> {
  return createWorkerRuntime({ engine: await engineOf(settings), budgetBytes: budgetOf(settings) });
}

/** The same for training. Throws MEMORY_BUDGET_EXCEEDED, DISK_BUDGET_EXCEEDED, ENGINE_UNAVAILABLE, ENGINE_FAILED, STATE_NOT_STORED. */
export async function createBrowserLearner(settings: Choice, campaign: Campaign): Promise<Learner> {
  const place = placeOf(campaign, { memoryBytes: budgetOf(settings), diskBytes: await storageBudget() });
  return createWorkerLearner({ engine: await engineOf(settings), campaign, place });
}

type Choice = Pick<Settings, 'engine' | 'memoryMiB'>;

async function engineOf({ engine }: Choice): Promise<Engine> {
  if (engine !== 'auto') return engine;
  return (await hasHardwareWebGpu()) ? 'webgpu' : 'wasm';
}

function budgetOf({ memoryMiB }: Choice): number {
  const { deviceMemory = DEFAULT_MEMORY_GIB } = navigator as { deviceMemory?: number };
  return memoryMiB > 0 ? memoryMiB * 2 ** 20 : defaultBudgetBytes(deviceMemory);
}

/** `deviceMemoryGiB`: the machine's memory as the browser tells it (Device Memory API: rounded, at most 8). */
export function defaultBudgetBytes(deviceMemoryGiB: number): number {
  return Math.max(MIN_BUDGET_BYTES, deviceMemoryGiB * 2 ** 30 * BUDGET_SHARE);
}

/** A software adapter computes the same, but slower than WASM. */
async function hasHardwareWebGpu(): Promise<boolean> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: 'high-performance' });
  return adapter ? !adapter.info.isFallbackAdapter && adapter.info.architecture !== 'swiftshader' : false;
}
