/** What every event of a job comes down to: it goes on changed, or it ends, and the others are told. Pure. */
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { type Job, type JobEffect, type JobEvent, type Jobs, send } from './job.ts';
import { MAX_PACES, MAX_REMEMBERED_REQUESTS } from './limits.ts';

export interface Next {
  jobs: Jobs;
  effects: JobEffect[];
}

export function replaced(jobs: Jobs, job: Job): Jobs {
  return { ...jobs, running: new Map(jobs.running).set(job.id, job) };
}

/** The only way a job ends. */
export function end(jobs: Jobs, job: Job, reason: FromCoordinator['jobClose']['reason'], effects: JobEffect[]): Next {
  const running = new Map(jobs.running);
  running.delete(job.id);
  const held = job.stages.filter(({ vacant }) => !vacant);
  const closes = held.map(({ node }) => send(node, 'jobClose', { job: job.id, reason }));
  return { jobs: { ...jobs, running, remembered: remember(jobs, job.id) }, effects: [...effects, ...closes] };
}

export function endAll(
  jobs: Jobs,
  which: (job: Job) => boolean,
  reason: 'cancelled' | 'failed',
  error: (job: Job) => WireError,
): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of [...jobs.running.values()].filter(which)) {
    const ended = end(next.jobs, job, reason, [failed(job, error(job))]);
    next = { jobs: ended.jobs, effects: [...next.effects, ...ended.effects] };
  }
  return next;
}

/**
 * Messages cross the end of their job, or of the sender's part in it, on the way; only of jobs that never were is the
 * sender told.
 */
export function unknown(
  jobs: Jobs,
  event: JobEvent & { kind: 'frame' | 'token' | 'more' | 'jobRows' | 'jobFailed' },
): Next {
  const { job } = event.body;
  if (jobs.remembered.has(job) || jobs.running.get(job)?.former.has(event.from)) return { jobs, effects: [] };
  const error = AiloError.of('JOB_UNKNOWN', { job });
  return { jobs, effects: [{ kind: 'refuse', to: event.from, about: event.kind, error }] };
}

export function remember(jobs: Jobs, key: string): Set<string> {
  const remembered = new Set(jobs.remembered).add(key);
  if (remembered.size > MAX_REMEMBERED_REQUESTS) remembered.delete(remembered.values().next().value!);
  return remembered;
}

/** One more job that the assignment could not compute, with none between. */
export function failing({ failures }: Jobs, assignment: string): Jobs['failures'] {
  const next = new Map(failures);
  // Counted last, forgotten last.
  next.delete(assignment);
  next.set(assignment, 1 + (failures.get(assignment) ?? 0));
  if (next.size > MAX_PACES) next.delete(next.keys().next().value!);
  return next;
}

/** They have computed a job. */
export function forgiving({ failures }: Jobs, { stages }: Job): Jobs['failures'] {
  if (!stages.some(({ assignment }) => failures.has(assignment))) return failures;
  return new Map([...failures].filter(([assignment]) => !stages.some((stage) => stage.assignment === assignment)));
}

export function failed(job: Job, error: WireError): JobEffect {
  return send(job.requester, 'failed', { request: job.request, error });
}
