import type { Activity } from '../../shared/node/types.ts';

/** How many answers were finished between two looks at a node. A stage that was loaded anew counts from 0 again. */
export function answersFinished(before: Activity, after: Activity): number {
  const done = doneOf(after);
  const known = doneOf(before);
  return done < known ? done : done - known;
}

function doneOf(activity: Activity): number {
  return activity.kind === 'ready' || activity.kind === 'working' ? activity.jobsDone : 0;
}
