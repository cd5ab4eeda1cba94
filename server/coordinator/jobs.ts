/**
 * Running inferences, as one pure state machine. A job passes through one holder of each stage of its room; the
 * coordinator relays frames between neighbours, hands tokens to the requester, lets others take over for nodes that are
 * lost (recovery.ts) and ends the job exactly once: finished, cancelled or failed. Every job has a deadline, so none can
 * hang.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { type Job, type JobContext, type JobEvent, type Jobs, loads, requestKey, send, stageOf } from './job.ts';
import { MAX_JOB_FAILURES } from './limits.ts';
import { known } from './pace.ts';
import { lost, mend, vacate } from './recovery.ts';
import { redo } from './redo.ts';
import { frame, more, rows, token, verified } from './relay.ts';
import { newJob, opening, requestProblem } from './requests.ts';
import { rescue, STALLED } from './stall.ts';
import { end, endAll, failed, failing, type Next, remember, replaced, unknown } from './transitions.ts';

const CANCELLED = AiloError.of('CANCELLED', {}).toWire();

export function step(jobs: Jobs, event: JobEvent, context: JobContext): Next {
  switch (event.kind) {
    case 'generate':
      return begin(jobs, event, context);
    case 'frame':
      return frame(jobs, event, context);
    case 'token':
      return token(jobs, event, context);
    case 'more':
      return more(jobs, event, context);
    case 'jobRows':
      return rows(jobs, event, context);
    case 'jobFailed':
      return unable(jobs, event, context);
    // What was answered completely is paid, whoever waits for it.
    case 'cancel':
      return endAll(
        jobs,
        (job) => !job.done && isRequest(event)(job),
        'cancelled',
        () => CANCELLED,
      );
    case 'gone':
      return endAll(
        jobs,
        ({ requester, done }) => !done && requester === event.node,
        'cancelled',
        () => CANCELLED,
      );
    case 'verified':
      return verified(jobs, event);
    case 'redo':
      return redo(jobs, event, context);
    case 'lost':
      return vacateAll(jobs, event.assignment, context);
    case 'mend':
      return mendAll(jobs, event, context);
    case 'tick':
      return tick(jobs, context);
  }
}

/** Assignments that running jobs pass through. */
export function assignmentsInUse(jobs: Jobs): Set<string> {
  return new Set(loads(jobs).keys());
}

function begin(jobs: Jobs, { from, body, room }: JobEvent & { kind: 'generate' }, context: JobContext): Next {
  const refused = (error: AiloError): Next => ({
    jobs,
    effects: [send(from, 'failed', { request: body.request, error: error.toWire() })],
  });
  if (!room) return refused(AiloError.of('MODEL_UNKNOWN', { model: body.model }));
  const problem = requestProblem(jobs, { from, body, room });
  if (problem) return refused(problem);
  const { job, effects } = opening(newJob(jobs, { from, body, room }, context));
  const running = new Map(jobs.running).set(job.id, job);
  const remembered = remember(jobs, requestKey(from, body.request));
  return { jobs: { ...jobs, running, remembered }, effects };
}

function tick(jobs: Jobs, { nowMs }: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    if (job.deadlineMs > nowMs) continue;
    const rescued = rescue(job, nowMs);
    const error = job.stages.find(({ vacant }) => vacant)?.vacant ?? STALLED;
    const then = rescued
      ? { jobs: replaced(next.jobs, rescued.job), effects: rescued.effects }
      : end(next.jobs, job, 'failed', [failed(job, error)]);
    next = { jobs: then.jobs, effects: [...next.effects, ...then.effects] };
  }
  return next;
}

/** Another holder of the stage may be able to compute what this one is not. */
function unable(jobs: Jobs, event: JobEvent & { kind: 'jobFailed' }, { nowMs }: JobContext): Next {
  const job = jobs.running.get(event.body.job);
  const stage = job ? stageOf(job, event.from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  if (job.done) return { jobs, effects: [] };
  const { assignment, node } = job.stages[stage]!;
  const error = AiloError.fromWire(event.body.error).toWire();
  const { job: vacated, effects } = vacate(job, stage, error, nowMs);
  const next = replaced(jobs, { ...vacated, unable: new Set(job.unable).add(assignment) });
  const failures = failing(jobs, assignment);
  if (failures.get(assignment)! < MAX_JOB_FAILURES) return { jobs: { ...next, failures }, effects };
  return { jobs: next, effects: [...effects, { kind: 'unreliable', job, node }] };
}

function vacateAll(jobs: Jobs, assignment: string, { nowMs }: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    const stage = job.stages.findIndex((each) => each.assignment === assignment && !each.vacant);
    if (stage < 0 || job.done) continue;
    const { job: vacated, effects } = vacate(job, stage, lost(stage), nowMs);
    next = { jobs: replaced(next.jobs, vacated), effects: [...next.effects, ...effects] };
  }
  return next;
}

function mendAll(jobs: Jobs, { model, room }: JobEvent & { kind: 'mend' }, { nowMs }: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    if (job.model !== model || job.done) continue;
    const { job: mended, effects, failed: error } = mend(job, room, known(next.jobs, nowMs));
    const then = error
      ? end(next.jobs, mended, 'failed', [...effects, failed(mended, error)])
      : { jobs: replaced(next.jobs, mended), effects };
    next = { jobs: then.jobs, effects: [...next.effects, ...then.effects] };
  }
  return next;
}

function isRequest({ from, body }: { from: string; body: { request: string } }): (job: Job) => boolean {
  return (job) => job.requester === from && job.request === body.request;
}
