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
  loaded?: { ready: ReadyStage; jobs: Jobs };
}

export function heldActivity({ assignment, loaded, loadedBytes, totalBytes }: Held): Activity {
  const { model, stage, stages, start, end } = assignment;
  if (!loaded) return { kind: 'loading', model, stage, stages, loadedBytes, totalBytes };
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
