/** Whether a request can become a job, and how that job begins. Pure. */
import { AiloError } from '../../shared/errors/index.ts';
import { MAX_REQUESTS_PER_REQUESTER } from '../../shared/protocol/limits.ts';
import type { FromNode } from '../../shared/protocol/messages.ts';
import { encodeFrame } from '../../shared/tensor/frame.ts';
import { type Job, type JobContext, type JobEffect, type Jobs, type RoomView, requestKey, send } from './job.ts';
import { TOKEN_TIMEOUT_MS } from './limits.ts';

export interface Request {
  from: string;
  body: FromNode['generate'];
  room: RoomView;
}

/** The rule that keeps the request from being answered, if there is one. */
export function requestProblem(jobs: Jobs, { from, body, room }: Request): AiloError | undefined {
  const { model } = body;
  if (jobs.remembered.has(requestKey(from, body.request)))
    return AiloError.of('REQUEST_DUPLICATE', { request: body.request });
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

/** The job of a request without a problem; its answer never runs past the context. */
export function newJob({ from, body, room }: Request, { nowMs, newId }: JobContext): Job {
  return {
    id: newId(),
    request: body.request,
    requester: from,
    model: body.model,
    stages: room.stages.map(({ node, assignment, start, end }) => ({ node, assignment, start, end })),
    vocabSize: room.vocabSize,
    maxNewTokens: Math.min(body.maxNewTokens, room.contextLength - body.tokens.length),
    tokens: 0,
    startedMs: nowMs,
    deadlineMs: nowMs + TOKEN_TIMEOUT_MS,
  };
}

/** Every stage learns of the job before the first frame is on its way. */
export function opening(job: Job, { body: { tokens, sampling }, room: { wire } }: Request): JobEffect[] {
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
