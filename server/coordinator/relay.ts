/** What the coordinator passes on within a job: frames between neighbours, tokens to the requester. Pure. */
import { AiloError } from '../../shared/errors/index.ts';
import type { FromNode } from '../../shared/protocol/messages.ts';
import { frameRange } from '../../shared/tensor/frame.ts';
import { aheadAfter, dueAfter, mayChoose } from './ahead.ts';
import {
  hasVacancy,
  type Job,
  type JobContext,
  type JobEffect,
  type JobEvent,
  type JobStage,
  type Jobs,
  rowsOf,
  send,
  stageOf,
} from './job.ts';
import { FIRST_TOKEN_TIMEOUT_MS, TOKEN_TIMEOUT_MS } from './limits.ts';
import { measured } from './pace.ts';
import { tellToken } from './redo.ts';
import { tellTokens } from './requests.ts';
import { end, forgiving, type Next, replaced, unknown } from './transitions.ts';

export function frame(jobs: Jobs, event: JobEvent & { kind: 'frame' }, { nowMs }: JobContext): Next {
  const { from, body } = event;
  const job = jobs.running.get(body.job);
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  // Nothing may change any more that its stages are held to.
  if (job.done) return { jobs, effects: [] };
  const place = (stage + 1) % job.stages.length;
  const next = job.stages[place]!;
  const range = frameRange(body.data);
  const refuse = (error: AiloError): Next => ({ jobs, effects: [{ kind: 'refuse', to: from, about: 'frame', error }] });
  if (!range) return refuse(AiloError.of('FRAME_INVALID', { reason: 'it has no header' }));
  // It crossed the replacement of its receiver, who gets it again.
  if (body.epoch < next.epoch || (next.vacant && body.epoch === next.epoch)) return { jobs, effects: [] };
  if (body.epoch !== next.epoch || body.to !== next.node) return refuse(AiloError.of('ROUTE_INVALID', {}));
  const { data, more } = body;
  const relay = send(next.node, 'frame', { job: job.id, from, data, ...(more && { more }) });
  // A draft that went wrong is replaced by a frame that ends before it.
  const rows = job.draftKey === undefined ? Math.max(next.rows, range.end) : range.end;
  const isPrompt = job.answer.length === 0;
  const sender = ended(job.stages[stage]!, nowMs);
  // What a prompt or a draft takes says little of a row.
  const isOneRow = !isPrompt && job.draftKey === undefined && range.end === range.start + 1;
  const ahead = job.draftKey !== undefined && place > 0 && { ahead: aheadAfter(job, next, data) };
  const rest = { passed: Math.max(next.passed, range.end), ...(isOneRow && { sinceMs: nowMs }) };
  const receiver = { ...next, rows, ...ahead, ...rest };
  const relayed = { ...job, stages: job.stages.with(stage, sender).with(place, receiver) };
  return { jobs: replaced(jobs, isPrompt ? progressed(relayed, nowMs) : relayed), effects: [relay] };
}

/** The stage has sent on what it made of its row. */
function ended({ sinceMs, ...stage }: JobStage, nowMs: number): JobStage {
  return sinceMs === undefined ? stage : { ...stage, turn: { ms: nowMs - sinceMs, atMs: nowMs } };
}

/** A stage has run what its predecessor gave it of a replay; that may send the next piece. */
export function more(jobs: Jobs, event: JobEvent & { kind: 'more' }, { nowMs }: JobContext): Next {
  const job = jobs.running.get(event.body.job);
  const stage = job ? stageOf(job, event.from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  const before = job.stages[stage - 1];
  if (!before || before.vacant) return { jobs, effects: [] };
  return { jobs: replaced(jobs, progressed(job, nowMs)), effects: [send(before.node, 'more', { job: job.id })] };
}

/**
 * A stage tells how many rows its link has brought, which are not seen here where they come directly. Where it was asked,
 * its new predecessor is told what need not be sent.
 */
export function rows(jobs: Jobs, event: JobEvent & { kind: 'jobRows' }, { nowMs }: JobContext): Next {
  const { epoch, rows } = event.body;
  const job = jobs.running.get(event.body.job);
  const place = job ? stageOf(job, event.from) : -1;
  if (!job || place < 0) return unknown(jobs, event);
  const { asked, ...link } = job.stages[place]!;
  if (epoch !== link.epoch) return { jobs, effects: [] };
  // What was there when the sender was replaced came from the one before.
  const from = asked ? rows : link.from;
  const told = { ...job, stages: job.stages.with(place, { ...link, from, rows: Math.max(link.rows, rows) }) };
  const isWaiting = job.answer.length === 0 || job.pause !== undefined;
  const next = isWaiting ? progressed(told, nowMs) : told;
  const before = job.stages[place - 1];
  if (!asked || !before || before.vacant) return { jobs: replaced(jobs, next), effects: [] };
  const resumesAt = Math.max(next.pause?.resumesAt ?? 0, rows - job.prompt.length + 1);
  const known = next.pause ? { ...next, pause: { ...next.pause, resumesAt } } : next;
  const tell = send(before.node, 'jobRows', { job: job.id, epoch, rows });
  return { jobs: replaced(jobs, known), effects: [tell] };
}

/** Steps without a token put the deadline off, but not for ever. */
function progressed(job: Job, nowMs: number): Job {
  if (hasVacancy(job)) return job;
  const sinceMs = job.pause?.sinceMs ?? job.tokenMs;
  const deadlineMs = Math.min(nowMs + TOKEN_TIMEOUT_MS, sinceMs + FIRST_TOKEN_TIMEOUT_MS);
  return { ...job, deadlineMs: Math.max(job.deadlineMs, deadlineMs) };
}

export function token(before: Jobs, event: JobEvent & { kind: 'token' }, context: JobContext): Next {
  const { from, body } = event;
  const job = before.running.get(body.job);
  // Once around the ring, since each frame would copy what is known of all.
  const jobs = job ? { ...before, paces: measured(before.paces, job.stages) } : before;
  const { nowMs } = context;
  const stage = job ? stageOf(job, from) : -1;
  if (!job || stage < 0) return unknown(jobs, event);
  if (job.done) return { jobs, effects: [] };
  const isLast = stage === job.stages.length - 1;
  // Chosen twice, by two nodes or by one that was away meanwhile: it is the same.
  if (isLast && job.answer[body.index] === body.token) return { jobs, effects: [] };
  const reason = tokenProblem(job, isLast, body);
  if (reason) {
    const error = AiloError.of('MESSAGE_INVALID', { type: 'token', reason });
    const effects: JobEffect[] = [{ kind: 'refuse', to: from, about: 'token', error }];
    return { jobs, effects: [...effects, { kind: 'misbehaved', job, node: from }] };
  }
  const { grown: longer, pausedMs } = answered(job, body.token, nowMs);
  const paused = pausedMs === undefined ? {} : { pausedMs };
  const { effects, shown } = tellToken(job, { index: body.index, token: body.token, ...paused });
  const { shown: _, ...unsaid } = longer;
  const grown: Job = shown ? { ...unsaid, shown } : unsaid;
  if (pausedMs !== undefined) effects.push({ kind: 'resumed', job: grown, pausedMs });
  const reached = endOf(grown);
  if (!reached) return { jobs: replaced(jobs, grown), effects };
  const latencyMs = Math.max(0, Math.round(nowMs - job.startedMs));
  // A first stage that drafted the last tokens is not left without being told so. The very last is nobody's input.
  const told = job.draftKey === undefined ? { job: grown, effects: [] } : tellTokens(grown, rowsOf(grown));
  effects.push(...told.effects);
  const done: Job = { ...told.job, done: { reason: reached, latencyMs }, deadlineMs: Number.POSITIVE_INFINITY };
  if (context.checks) return { jobs: replaced(jobs, done), effects: [...effects, { kind: 'answered', job: done }] };
  return finish(jobs, done, effects);
}

/** The checks are through, or there were none. */
export function verified(jobs: Jobs, { job: id }: JobEvent & { kind: 'verified' }): Next {
  const job = jobs.running.get(id);
  return job?.done ? finish(jobs, job, []) : { jobs, effects: [] };
}

function finish(jobs: Jobs, job: Job, effects: JobEffect[]): Next {
  const { reason, latencyMs } = job.done!;
  const failures = forgiving(jobs, job);
  const { request, requester, answer } = job;
  const finished = send(requester, 'finished', { request, reason, tokens: answer.length, latencyMs });
  return end({ ...jobs, failures }, job, 'done', [...effects, finished, { kind: 'completed', job, reason, latencyMs }]);
}

/** The job with one more token. Tokens that were on their way when a node was lost do not end the pause. */
function answered(job: Job, token: number, nowMs: number): { grown: Job; pausedMs?: number } {
  const answer = [...job.answer, token];
  const { pause, asking: _, ...rest } = job.draftKey === undefined ? job : { ...job, due: dueAfter(job, token) };
  if (pause && (hasVacancy(job) || job.answer.length < pause.resumesAt)) {
    return { grown: { ...rest, pause, answer, tokenMs: nowMs } };
  }
  const grown = { ...rest, answer, tokenMs: nowMs, deadlineMs: nowMs + TOKEN_TIMEOUT_MS };
  return pause ? { grown, pausedMs: Math.round(nowMs - pause.sinceMs) } : { grown };
}

/** Who answers would gain by saying so early: an answer is paid as a whole. */
function endOf({ answer, eosTokens, maxNewTokens }: Job): 'stop' | 'length' | undefined {
  if (eosTokens.includes(answer.at(-1)!)) return 'stop';
  return answer.length >= maxNewTokens ? 'length' : undefined;
}

function tokenProblem(job: Job, isLast: boolean, { index, token }: FromNode['token']): string | undefined {
  if (!isLast) return 'only the last stage answers';
  if (index !== job.answer.length) return `token ${job.answer.length} was due`;
  if (!mayChoose(job)) return 'the row that it is chosen from has not come yet';
  return token < job.vocabSize ? undefined : `the model knows only ${job.vocabSize} tokens`;
}
