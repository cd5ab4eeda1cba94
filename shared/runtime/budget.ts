/** What loading a stage takes at its peak, by engine. Pure. */
import { totalBytes } from '../graph/memory.ts';
import type { StageMemory } from '../graph/types.ts';
import { LOADING_COPIES } from './limits.ts';
import type { Engine, Runtime } from './types.ts';

/** The most (bytes) that a stage takes, from its first weight to `maxSequences` open sequences. */
export function peakBytes(memory: StageMemory, maxSequences: number, engine: Engine): number {
  const { weightBytes, loadingBytes } = memory;
  return Math.max(totalBytes(memory, maxSequences), Math.ceil(LOADING_COPIES[engine] * weightBytes) + loadingBytes);
}

/** What is offered to the network: every stage whose `totalBytes` are within it has its peak within the budget. */
export function offeredBytes({ engine, budgetBytes }: Pick<Runtime, 'engine' | 'budgetBytes'>): number {
  return Math.floor(budgetBytes / LOADING_COPIES[engine]);
}
