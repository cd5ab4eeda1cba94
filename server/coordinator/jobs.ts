/**
 * Running inferences, as one pure state machine. A job passes through the stages of its room as they were when it
 * began; the coordinator relays frames between neighbours, hands tokens to the requester and ends the job exactly
 * once: finished, cancelled or failed. Every job has a deadline, so none can hang.
 */
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import {
  type Job,
  type JobContext,
  type JobEffect,
  type JobEvent,
  type Jobs,
  requestKey,
  send,
  stageOf,
} from './job.ts';
import { FIRST_TOKEN_TIMEOUT_MS, MAX_REMEMBERED_REQUESTS, TOKEN_TIMEOUT_MS } from './limits.ts';
import { newJob, opening, requestProblem } from './requests.ts';

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
    case 'jobFailed': {
      const job = jobs.running.get(event.body.job);
      if (!job || stageOf(job, event.from) < 0) return unknown(jobs, event);
      return end(jobs, job, 'failed', [failed(job, event.body.error)]);
    }
    case 'cancel':
      return endAll(jobs, isRequest(event), 'cancelled', () => AiloError.of('CANCELLED', {}));
    case 'gone':
      return endAll(
        jobs,
        ({ requester }) => requester === event.node,
        'cancelled',
        () => AiloError.of('CANCELLED', {}),
      );
    case 'lost': {
      const place = (job: Job) => job.stages.findIndex(({ assignment }) => assignment === event.assignment);
      const error = (job: Job) => AiloError.of('STAGE_LOST', { stage: place(job) });
      return endAll(jobs, (job) => place(job) >= 0, 'failed', error);
    }
    case 'tick': {
      const isOver = ({ deadlineMs }: Job) => deadlineMs <= context.nowMs;
      return endAll(jobs, isOver, 'failed', () => AiloError.of('JOB_STALLED', { timeoutMs: TOKEN_TIMEOUT_MS }));
    }
  }
}

/** Assignments that running jobs pass through. */
export function assignmentsInUse(jobs: Jobs): Set<string> {
  return new Set([...jobs.running.values()].flatMap(({ stages }) => stages.map(({ assignment }) => assignment)));
}

function begin(jobs: Jobs, { from, body, room }: JobEvent & { kind: 'generate' }, context: JobContext): Next {
  const refused = (error: AiloError): Next => ({
    jobs,
    effects: [send(from, 'failed', { request: body.request, error: error.toWire() })],
  });
  if (!room) return refused(AiloError.of('MODEL_UNKNOWN', { model: body.model }));
  const problem = requestProblem(jobs, { from, body, room });
  if (problem) return refused(problem);
  const job = newJob({ from, body, room }, context);
  const running = new Map(jobs.running).set(job.id, job);
  const remembered = remember(jobs, requestKey(from, body.request));
  return { jobs: { running, remembered }, effects: opening(job, { from, body, room }) };
}

function frame(jobs: Jobs, event: JobEvent & { kind: 'frame' }, { nowMs }: JobContext): Next {
  const { from, body } = event;
  const job = jobs.running.get(body.job);
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  if (job.stages[(stage + 1) % job.stages.length]!.node !== body.to) {
    return { jobs, effects: [{ kind: 'refuse', to: from, about: 'frame', error: AiloError.of('ROUTE_INVALID', {}) }] };
  }
  const relay = send(body.to, 'frame', { job: job.id, from, data: body.data });
  if (job.tokens > 0) return { jobs, effects: [relay] };
  const deadlineMs = Math.min(nowMs + TOKEN_TIMEOUT_MS, job.startedMs + FIRST_TOKEN_TIMEOUT_MS);
  return { jobs: replaced(jobs, { ...job, deadlineMs }), effects: [relay] };
}

function token(jobs: Jobs, event: JobEvent & { kind: 'token' }, { nowMs }: JobContext): Next {
  const { from, body } = event;
  const job = jobs.running.get(body.job);
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const reason = tokenProblem(job, stage, body);
  if (reason) {
    const refusal = AiloError.of('MESSAGE_INVALID', { type: 'token', reason });
    const ended = end(jobs, job, 'failed', [failed(job, AiloError.of('STAGE_MISBEHAVED', { stage }).toWire())]);
    return {
      jobs: ended.jobs,
      effects: [...ended.effects, { kind: 'refuse', to: from, about: 'token', error: refusal }],
    };
  }
  const grown = { ...job, tokens: job.tokens + 1, deadlineMs: nowMs + TOKEN_TIMEOUT_MS };
  const told = send(job.requester, 'token', { request: job.request, index: body.index, token: body.token });
  const finish = body.finish ?? (grown.tokens >= job.maxNewTokens ? 'length' : undefined);
  if (!finish) return { jobs: replaced(jobs, grown), effects: [told] };
  const latencyMs = Math.max(0, Math.round(nowMs - job.startedMs));
  const finished = send(job.requester, 'finished', {
    request: job.request,
    reason: finish,
    tokens: grown.tokens,
    latencyMs,
  });
  return end(jobs, grown, 'done', [told, finished, { kind: 'completed', job: grown, reason: finish, latencyMs }]);
}

function tokenProblem(job: Job, stage: number, { index, token }: FromNode['token']): string | undefined {
  if (stage !== job.stages.length - 1) return 'only the last stage answers';
  if (index !== job.tokens) return `token ${job.tokens} was due`;
  return token < job.vocabSize ? undefined : `the model knows only ${job.vocabSize} tokens`;
}

/** The only way a job ends. */
function end(jobs: Jobs, job: Job, reason: FromCoordinator['jobClose']['reason'], effects: JobEffect[]): Next {
  const running = new Map(jobs.running);
  running.delete(job.id);
  const closes = job.stages.map(({ node }) => send(node, 'jobClose', { job: job.id, reason }));
  return { jobs: { running, remembered: remember(jobs, job.id) }, effects: [...effects, ...closes] };
}

function endAll(
  jobs: Jobs,
  which: (job: Job) => boolean,
  reason: 'cancelled' | 'failed',
  error: (job: Job) => AiloError,
): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of [...jobs.running.values()].filter(which)) {
    const ended = end(next.jobs, job, reason, [failed(job, error(job).toWire())]);
    next = { jobs: ended.jobs, effects: [...next.effects, ...ended.effects] };
  }
  return next;
}

/** Messages of a job that has just ended cross its end on the way; only of jobs that never were is the sender told. */
function unknown(jobs: Jobs, event: JobEvent & { kind: 'frame' | 'token' | 'jobFailed' }): Next {
  const { job } = event.body;
  if (jobs.remembered.has(job)) return { jobs, effects: [] };
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

function failed(job: Job, error: WireError | FromNode['jobFailed']['error']): JobEffect {
  return send(job.requester, 'failed', { request: job.request, error });
}
