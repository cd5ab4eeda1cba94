import { expect, it } from 'vitest';
import type { Activity } from '../../shared/node/types.ts';
import { answersFinished } from './helped.ts';

const stage = { model: 'm', stage: 0, stages: 2 };
const ready = (jobsDone: number): Activity => ({ kind: 'ready', ...stage, start: 0, end: 2, jobsDone });
const working = (jobsDone: number): Activity => ({ kind: 'working', ...stage, jobs: 1, steps: 3, jobsDone });
const loading: Activity = { kind: 'loading', ...stage, loadedBytes: 0, totalBytes: 1 };

it.each<[string, Activity, Activity, number]>([
  ['nothing happened', ready(2), ready(2), 0],
  ['an answer began', ready(2), working(2), 0],
  ['it ended', working(2), ready(3), 1],
  ['two ended between two looks', working(2), ready(4), 2],
  ['the stage was taken away', ready(4), { kind: 'waiting' }, 0],
  ['another was loaded', loading, ready(0), 0],
  ['another was loaded and used between two looks', ready(4), ready(1), 1],
])('%s', (_, before, after, finished) => {
  expect(answersFinished(before, after)).toBe(finished);
});
