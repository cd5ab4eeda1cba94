/** What a node holds of a model, in plain decisions. */
import type { FromCoordinator } from '../protocol/messages.ts';
import type { Jobs } from './jobs.ts';
import type { ReadyStage } from './stage.ts';
import type { Activity } from './types.ts';

export type Assignment = FromCoordinator['assign'];

/** The stage this node is to hold: first loading, then with jobs. */
export interface Held {
  assignment: Assignment;
  cancel: AbortController;
  loadedBytes: number;
  totalBytes: number;
  remainingMs?: number | undefined;
  loaded?: { ready: ReadyStage; jobs: Jobs };
}

export function heldActivity({ assignment, loaded, loadedBytes, totalBytes, remainingMs }: Held): Activity {
  const { model, stage, stages, start, end } = assignment;
  if (!loaded) {
    const left = remainingMs !== undefined && { remainingMs };
    return { kind: 'loading', model, stage, stages, loadedBytes, totalBytes, ...left };
  }
  const { open: jobs, steps, done: jobsDone } = loaded.jobs;
  if (jobs === 0) return { kind: 'ready', model, stage, stages, start, end, jobsDone };
  return { kind: 'working', model, stage, stages, jobs, steps, jobsDone };
}

/** Whether what is loaded for `a` serves `b` as it is. */
export function isSameStage(a: Assignment, b: Assignment): boolean {
  const keys = [
    ...(['model', 'manifestHash', 'start', 'end', 'mlpParts'] as const),
    ...(['quant', 'contextLength', 'maxSequences', 'wire'] as const),
  ];
  return keys.every((key) => a[key] === b[key]);
}
