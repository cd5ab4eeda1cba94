/**
 * Running inferences, as one pure state machine. A job passes through one holder of each stage of its room; the
 * coordinator relays frames between neighbours, hands tokens to the requester, lets others take over for nodes that are
 * lost (recovery.ts) and ends the job exactly once: finished, cancelled or failed. Every job has a deadline, so none can
 * hang.
 */
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import { frameEnd } from '../../shared/tensor/frame.ts';
import {
  isPaused,
  type Job,
  type JobContext,
  type JobEffect,
  type JobEvent,
  type Jobs,
  loads,
  requestKey,
  send,
  stageOf,
} from './job.ts';
import { FIRST_TOKEN_TIMEOUT_MS, MAX_REMEMBERED_REQUESTS, TOKEN_TIMEOUT_MS } from './limits.ts';
import { lost, mend, vacate } from './recovery.ts';
import { newJob, opening, requestProblem } from './requests.ts';

const CANCELLED = AiloError.of('CANCELLED', {}).toWire();

interface Next {
  jobs: Jobs;
  effects: JobEffect[];
}

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
    case 'jobFailed':
      return unable(jobs, event, context);
    case 'cancel':
      return endAll(jobs, isRequest(event), 'cancelled', () => CANCELLED);
    case 'gone':
      return endAll(
        jobs,
        ({ requester }) => requester === event.node,
        'cancelled',
        () => CANCELLED,
      );
    case 'lost':
      return vacateAll(jobs, event.assignment, context);
    case 'mend':
      return mendAll(jobs, event, context);
    case 'tick': {
      const isOver = ({ deadlineMs }: Job) => deadlineMs <= context.nowMs;
      const stalled = AiloError.of('JOB_STALLED', { timeoutMs: TOKEN_TIMEOUT_MS }).toWire();
      return endAll(jobs, isOver, 'failed', ({ stages }) => stages.find(({ vacant }) => vacant)?.vacant ?? stalled);
    }
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
  return { jobs: { running, remembered }, effects };
}

function frame(jobs: Jobs, event: JobEvent & { kind: 'frame' }, { nowMs }: JobContext): Next {
  const { from, body } = event;
  const job = jobs.running.get(body.job);
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const place = (stage + 1) % job.stages.length;
  const next = job.stages[place]!;
  const end = frameEnd(body.data);
  const refuse = (error: AiloError): Next => ({ jobs, effects: [{ kind: 'refuse', to: from, about: 'frame', error }] });
  if (end === undefined) return refuse(AiloError.of('FRAME_INVALID', { reason: 'it has no header' }));
  // It crossed the replacement of its receiver, who gets it again.
  if (body.epoch < next.epoch || (next.vacant && body.epoch === next.epoch)) return { jobs, effects: [] };
  if (body.epoch !== next.epoch || body.to !== next.node) return refuse(AiloError.of('ROUTE_INVALID', {}));
  const { data, more } = body;
  const relay = send(next.node, 'frame', { job: job.id, from, data, ...(more && { more }) });
  const stages = job.stages.with(place, { ...next, rows: end });
  const deadlineMs = Math.min(nowMs + TOKEN_TIMEOUT_MS, job.startedMs + FIRST_TOKEN_TIMEOUT_MS);
  const isProgress = job.answer.length === 0 && !isPaused(job) && job.pausedSinceMs === undefined;
  return { jobs: replaced(jobs, { ...job, stages, ...(isProgress && { deadlineMs }) }), effects: [relay] };
}

/** A stage has run what its predecessor gave it of a replay; that may send the next piece. */
function more(jobs: Jobs, event: JobEvent & { kind: 'more' }, { nowMs }: JobContext): Next {
  const job = jobs.running.get(event.body.job);
  const stage = job ? stageOf(job, event.from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const before = job.stages[stage - 1];
  if (!before || before.vacant) return { jobs, effects: [] };
  const deadlineMs = isPaused(job) ? job.deadlineMs : Math.max(job.deadlineMs, nowMs + TOKEN_TIMEOUT_MS);
  return { jobs: replaced(jobs, { ...job, deadlineMs }), effects: [send(before.node, 'more', { job: job.id })] };
}

/** Another holder of the stage may be able to compute what this one is not. */
function unable(jobs: Jobs, event: JobEvent & { kind: 'jobFailed' }, { nowMs }: JobContext): Next {
  const job = jobs.running.get(event.body.job);
  const stage = job ? stageOf(job, event.from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const { assignment } = job.stages[stage]!;
  const error = AiloError.fromWire(event.body.error).toWire();
  const { job: vacated, effects } = vacate(job, stage, error, nowMs);
  return { jobs: replaced(jobs, { ...vacated, unable: new Set(job.unable).add(assignment) }), effects };
}

function vacateAll(jobs: Jobs, assignment: string, { nowMs }: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    const stage = job.stages.findIndex((each) => each.assignment === assignment && !each.vacant);
    if (stage < 0) continue;
    const { job: vacated, effects } = vacate(job, stage, lost(stage), nowMs);
    next = { jobs: replaced(next.jobs, vacated), effects: [...next.effects, ...effects] };
  }
  return next;
}

function mendAll(jobs: Jobs, { model, room }: JobEvent & { kind: 'mend' }, { nowMs }: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    if (job.model !== model) continue;
    const { job: mended, effects, failed: error } = mend(job, room, loads(next.jobs), nowMs);
    const then = error
      ? end(next.jobs, mended, 'failed', [...effects, failed(mended, error)])
      : { jobs: replaced(next.jobs, mended), effects };
    next = { jobs: then.jobs, effects: [...next.effects, ...then.effects] };
  }
  return next;
}

function token(jobs: Jobs, event: JobEvent & { kind: 'token' }, { nowMs }: JobContext): Next {
  const { from, body } = event;
  const job = jobs.running.get(body.job);
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const isLast = stage === job.stages.length - 1;
  // Chosen twice, by two nodes or by one that was away meanwhile: it is the same.
  if (isLast && job.answer[body.index] === body.token) return { jobs, effects: [] };
  const reason = tokenProblem(job, isLast, body);
  if (reason) {
    const refusal = AiloError.of('MESSAGE_INVALID', { type: 'token', reason });
    const ended = end(jobs, job, 'failed', [failed(job, AiloError.of('STAGE_MISBEHAVED', { stage }).toWire())]);
    return {
      jobs: ended.jobs,
      effects: [...ended.effects, { kind: 'refuse', to: from, about: 'token', error: refusal }],
    };
  }
  const { grown, pausedMs } = answered(job, body.token, nowMs);
  const paused = pausedMs === undefined ? {} : { pausedMs };
  const { request, requester } = job;
  const effects = [send(requester, 'token', { request, index: body.index, token: body.token, ...paused })];
  if (pausedMs !== undefined) effects.push({ kind: 'resumed', job: grown, pausedMs });
  const tokens = grown.answer.length;
  const reached = body.finish ?? (tokens >= job.maxNewTokens ? 'length' : undefined);
  if (!reached) return { jobs: replaced(jobs, grown), effects };
  const latencyMs = Math.max(0, Math.round(nowMs - job.startedMs));
  const finished = send(requester, 'finished', { request, reason: reached, tokens, latencyMs });
  return end(jobs, grown, 'done', [
    ...effects,
    finished,
    { kind: 'completed', job: grown, reason: reached, latencyMs },
  ]);
}

/** The job with one more token; a pause is over when nobody is missing any more. */
function answered(job: Job, token: number, nowMs: number): { grown: Job; pausedMs?: number } {
  const answer = [...job.answer, token];
  if (isPaused(job)) return { grown: { ...job, answer } };
  const { pausedSinceMs, ...rest } = job;
  const grown = { ...rest, answer, deadlineMs: nowMs + TOKEN_TIMEOUT_MS };
  return pausedSinceMs === undefined ? { grown } : { grown, pausedMs: Math.round(nowMs - pausedSinceMs) };
}

function tokenProblem(job: Job, isLast: boolean, { index, token }: FromNode['token']): string | undefined {
  if (!isLast) return 'only the last stage answers';
  if (index !== job.answer.length) return `token ${job.answer.length} was due`;
  return token < job.vocabSize ? undefined : `the model knows only ${job.vocabSize} tokens`;
}

/** The only way a job ends. */
function end(jobs: Jobs, job: Job, reason: FromCoordinator['jobClose']['reason'], effects: JobEffect[]): Next {
  const running = new Map(jobs.running);
  running.delete(job.id);
  const held = job.stages.filter(({ vacant }) => !vacant);
  const closes = held.map(({ node }) => send(node, 'jobClose', { job: job.id, reason }));
  return { jobs: { running, remembered: remember(jobs, job.id) }, effects: [...effects, ...closes] };
}

function endAll(
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

/** Messages cross the end of their job, or of the sender's part in it, on the way; only of jobs that never were is the sender told. */
function unknown(jobs: Jobs, event: JobEvent & { kind: 'frame' | 'token' | 'more' | 'jobFailed' }): Next {
  const { job } = event.body;
  if (jobs.remembered.has(job) || jobs.running.get(job)?.former.has(event.from)) return { jobs, effects: [] };
  const error = AiloError.of('JOB_UNKNOWN', { job });
  return { jobs, effects: [{ kind: 'refuse', to: event.from, about: event.kind, error }] };
}

function remember(jobs: Jobs, key: string): Set<string> {
  const remembered = new Set(jobs.remembered).add(key);
  if (remembered.size > MAX_REMEMBERED_REQUESTS) remembered.delete(remembered.values().next().value!);
  return remembered;
}

function replaced(jobs: Jobs, job: Job): Jobs {
  return { ...jobs, running: new Map(jobs.running).set(job.id, job) };
}

function isRequest({ from, body }: { from: string; body: { request: string } }): (job: Job) => boolean {
  return (job) => job.requester === from && job.request === body.request;
}

function failed(job: Job, error: WireError): JobEffect {
  return send(job.requester, 'failed', { request: job.request, error });
}
