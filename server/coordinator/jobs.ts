/**
 * Running inferences, as one pure state machine. A job passes through the stages of its room as they were when it
 * began; the coordinator relays frames between neighbours, hands tokens to the requester and ends the job exactly
 * once: finished, cancelled or failed. Every job has a deadline, so none can hang.
 */
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import type { UnitRange } from '../../shared/graph/types.ts';
import { MAX_REQUESTS_PER_REQUESTER } from '../../shared/protocol/limits.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import { encodeFrame } from '../../shared/tensor/frame.ts';
import { FIRST_TOKEN_TIMEOUT_MS, MAX_REMEMBERED_REQUESTS, TOKEN_TIMEOUT_MS } from './limits.ts';

/** What a request needs to know of the room that is to answer it. */
export interface RoomView {
  contextLength: number;
  vocabSize: number;
  maxSequences: number;
  wire: FromCoordinator['jobOpen']['wire'];
  /** In order; the room answers when there is at least one and all are ready. */
  stages: (JobStage & { ready: boolean })[];
  /** For the sentence, while there are no stages yet. */
  plannedStages: number;
}

/** A stage as it was when the job began. */
export interface JobStage extends UnitRange {
  node: string;
  assignment: string;
}

export interface Job {
  id: string;
  request: string;
  requester: string;
  model: string;
  stages: JobStage[];
  promptTokens: number;
  maxNewTokens: number;
  /** Tokens handed to the requester so far. */
  tokens: number;
  startedMs: number;
  deadlineMs: number;
}

export interface Jobs {
  running: ReadonlyMap<string, Job>;
  /** `requester/request` of everything that was accepted, and ids of jobs that ended; bounded. */
  remembered: ReadonlySet<string>;
}

export type JobEvent =
  | { kind: 'generate'; from: string; body: FromNode['generate']; room: RoomView | undefined }
  | { kind: 'frame'; from: string; body: FromNode['frame'] }
  | { kind: 'token'; from: string; body: FromNode['token'] }
  | { kind: 'jobFailed'; from: string; body: FromNode['jobFailed'] }
  | { kind: 'cancel'; from: string; body: FromNode['cancel'] }
  /** The session of a node is over: nobody waits for its requests any more. */
  | { kind: 'gone'; node: string }
  /** The holder of this assignment can't go on with it. */
  | { kind: 'lost'; assignment: string }
  | { kind: 'tick' };

type Sent = 'jobOpen' | 'jobClose' | 'frame' | 'accepted' | 'token' | 'finished' | 'failed';

export type JobEffect =
  | { [T in Sent]: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] } }[Sent]
  /** A message that breaks a rule of the job; its sender is told. */
  | { kind: 'refuse'; to: string; about: JobEvent['kind']; error: AiloError }
  | { kind: 'completed'; job: Job; reason: 'stop' | 'length'; latencyMs: number };

export interface JobContext {
  nowMs: number;
  newId(): string;
}

interface Next {
  jobs: Jobs;
  effects: JobEffect[];
}

export const NO_JOBS: Jobs = { running: new Map(), remembered: new Set() };

export function step(jobs: Jobs, event: JobEvent, context: JobContext): Next {
  switch (event.kind) {
    case 'generate':
      return generate(jobs, event, context);
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

function generate(jobs: Jobs, event: JobEvent & { kind: 'generate' }, context: JobContext): Next {
  const { from, body, room } = event;
  const problem = requestProblem(jobs, event);
  if (problem || !room) {
    const error = problem ?? AiloError.of('MODEL_UNKNOWN', { model: body.model });
    return { jobs, effects: [send(from, 'failed', { request: body.request, error: error.toWire() })] };
  }
  const job: Job = {
    id: context.newId(),
    request: body.request,
    requester: from,
    model: body.model,
    stages: room.stages.map(({ node, assignment, start, end }) => ({ node, assignment, start, end })),
    promptTokens: body.tokens.length,
    maxNewTokens: Math.min(body.maxNewTokens, room.contextLength - body.tokens.length),
    tokens: 0,
    startedMs: context.nowMs,
    deadlineMs: context.nowMs + TOKEN_TIMEOUT_MS,
  };
  const next = { running: new Map(jobs.running).set(job.id, job), remembered: remember(jobs, requestKey(from, body)) };
  return { jobs: next, effects: opening(job, body, room.wire) };
}

function requestProblem(jobs: Jobs, { from, body, room }: JobEvent & { kind: 'generate' }): AiloError | undefined {
  const { model } = body;
  if (!room) return AiloError.of('MODEL_UNKNOWN', { model });
  if (jobs.remembered.has(requestKey(from, body))) return AiloError.of('REQUEST_DUPLICATE', { request: body.request });
  const running = [...jobs.running.values()];
  if (running.filter(({ requester }) => requester === from).length >= MAX_REQUESTS_PER_REQUESTER) {
    return AiloError.of('REQUESTS_TOO_MANY', { limit: MAX_REQUESTS_PER_REQUESTER });
  }
  const ready = room.stages.filter((stage) => stage.ready).length;
  if (ready === 0 || ready < room.plannedStages) {
    return AiloError.of('MODEL_NOT_READY', { model, ready, stages: room.plannedStages });
  }
  const { contextLength, vocabSize } = room;
  if (body.tokens.length >= contextLength) {
    return AiloError.of('PROMPT_TOO_LONG', { tokens: body.tokens.length, contextLength });
  }
  const strange = body.tokens.find((id) => id >= vocabSize);
  if (strange !== undefined) return AiloError.of('TOKEN_UNKNOWN', { token: strange, vocabSize });
  return running.filter((job) => job.model === model).length >= room.maxSequences
    ? AiloError.of('ROOM_BUSY', { model })
    : undefined;
}

/** Every stage learns of the job before the first frame is on its way. */
function opening(job: Job, { tokens, sampling }: FromNode['generate'], wire: RoomView['wire']): JobEffect[] {
  const first = job.stages[0]!;
  const opens = job.stages.map(({ node, assignment }, stage) => {
    const next = job.stages[stage + 1];
    const open = { job: job.id, assignment, next: (next ?? first).node, wire };
    if (next) return send(node, 'jobOpen', open);
    const prompt = sampling.repetitionPenalty === 1 ? [] : tokens;
    return send(node, 'jobOpen', { ...open, sample: { sampling, maxNewTokens: job.maxNewTokens, prompt } });
  });
  const participants = job.stages.map(({ node }) => node);
  const accepted = send(job.requester, 'accepted', { request: job.request, participants });
  // One frame always suffices: 4 bytes for each of MAX_PROMPT_TOKENS are well below MAX_FRAME_BYTES.
  const ids = Int32Array.from(tokens);
  const prompt = encodeFrame({ job: job.id, sequence: 0, position: 0, sampleAfter: true, kind: 'tokens', ids });
  return [...opens, accepted, send(first.node, 'frame', { job: job.id, data: prompt })];
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
  const last = job?.stages.at(-1);
  if (!job || stageOf(job, from) < 0) return unknown(jobs, event);
  if (last?.node !== from || body.index !== job.tokens) {
    const stage = stageOf(job, from);
    const reason = last?.node === from ? `token ${job.tokens} was due` : 'only the last stage answers';
    const refusal = AiloError.of('MESSAGE_INVALID', { type: 'token', reason });
    const ended = end(jobs, job, 'failed', [failed(job, AiloError.of('STAGE_MISBEHAVED', { stage }).toWire())]);
    return {
      jobs: ended.jobs,
      effects: [...ended.effects, { kind: 'refuse', to: from, about: 'token', error: refusal }],
    };
  }
  const grown = { ...job, tokens: job.tokens + 1, deadlineMs: nowMs + TOKEN_TIMEOUT_MS };
  const told = send(job.requester, 'token', { request: job.request, index: body.index, token: body.token });
  const reason = body.finish ?? (grown.tokens >= job.maxNewTokens ? 'length' : undefined);
  if (!reason) return { jobs: replaced(jobs, grown), effects: [told] };
  const latencyMs = Math.max(0, Math.round(nowMs - job.startedMs));
  const finished = send(job.requester, 'finished', { request: job.request, reason, tokens: grown.tokens, latencyMs });
  return end(jobs, grown, 'done', [told, finished, { kind: 'completed', job: grown, reason, latencyMs }]);
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

function stageOf(job: Job, node: string): number {
  return job.stages.findIndex((stage) => stage.node === node);
}

function isRequest({ from, body }: { from: string; body: { request: string } }): (job: Job) => boolean {
  return (job) => job.requester === from && job.request === body.request;
}

function requestKey(requester: string, { request }: { request: string }): string {
  return `${requester}/${request}`;
}

function failed(job: Job, error: WireError | FromNode['jobFailed']['error']): JobEffect {
  return send(job.requester, 'failed', { request: job.request, error });
}

function send<T extends Sent>(to: string, type: T, body: FromCoordinator[T]): JobEffect {
  return { kind: 'send', to, type, body } as JobEffect;
}
