/** Whether a request can become a job, and how that job begins. Pure. */
import { AiloError } from '../../shared/errors/index.ts';
import { MAX_REQUESTS_PER_REQUESTER } from '../../shared/protocol/limits.ts';
import type { FromNode } from '../../shared/protocol/messages.ts';
import { encodeFrame } from '../../shared/tensor/frame.ts';
import {
  firmRows,
  isDirect,
  type Job,
  type JobContext,
  type JobEffect,
  type JobStage,
  type Jobs,
  NEW_LINK,
  type RoomView,
  requestKey,
  send,
} from './job.ts';
import { TOKEN_TIMEOUT_MS } from './limits.ts';
import { bestHolder, known } from './pace.ts';

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
  const ready = room.stages.filter(({ holders }) => holders.some((holder) => holder.ready)).length;
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
export function newJob(jobs: Jobs, { from, body, room }: Request, { nowMs, newId }: JobContext): Job {
  const about = known(jobs, nowMs);
  // A single stage has nobody to wait for.
  const isDrafting = room.drafts && room.stages.length > 1;
  return {
    id: newId(),
    request: body.request,
    requester: from,
    model: body.model,
    stages: room.stages.map(({ start, end, holders }) => {
      const { node, assignment, direct } = bestHolder(holders, about)!;
      return { start, end, node, assignment, ...NEW_LINK, ...(direct && !isDrafting && { direct }) };
    }),
    wire: room.wire,
    ...(isDrafting && { draftKey: newId() }),
    vocabSize: room.vocabSize,
    eosTokens: room.eosTokens,
    sampling: body.sampling,
    maxNewTokens: Math.min(body.maxNewTokens, room.contextLength - body.tokens.length),
    prompt: body.tokens,
    answer: [],
    answerFrom: 0,
    startedMs: nowMs,
    tokenMs: nowMs,
    deadlineMs: nowMs + TOKEN_TIMEOUT_MS,
    epoch: 0,
    former: new Set(),
    unable: new Set(),
    redone: 0,
    stalls: 0,
  };
}

/** Every stage learns of the job before the first frame is on its way. */
export function opening(job: Job): { job: Job; effects: JobEffect[] } {
  const opens = job.stages.map((_, stage) => open(job, stage));
  const participants = job.stages.map(({ node }) => node);
  const accepted = send(job.requester, 'accepted', { request: job.request, participants });
  const begun = tellTokens(job);
  return { job: begun.job, effects: [...opens, accepted, ...begun.effects] };
}

/** What the holder of a stage must know, at the beginning and when it takes over. */
export function open(job: Job, stage: number): JobEffect {
  const own = job.stages[stage]!;
  const { id, sampling, wire, draftKey, maxNewTokens, prompt, answer } = job;
  const place = (stage + 1) % job.stages.length;
  const next = job.stages[place]!;
  const previous = job.stages.at(stage - 1)!;
  const isLast = place === 0;
  const known = sampling.repetitionPenalty === 1 ? [] : [...prompt];
  return send(own.node, 'jobOpen', {
    job: id,
    assignment: own.assignment,
    next: next.node,
    epoch: next.epoch,
    // Prompt and answer come to the first stage from here.
    has: isLast ? prompt.length + answer.length : firmRows(job, place),
    ...(isDirect(own, next) && { direct: true }),
    ...(isDirect(previous, own) && { previous: { node: previous.node, epoch: own.epoch } }),
    promptTokens: prompt.length,
    wire,
    // The last token is nobody's input.
    ...(draftKey !== undefined &&
      (isLast || stage === 0) && { draft: { key: draftKey, maxRows: prompt.length + maxNewTokens - 1 } }),
    ...(isLast && { sample: { sampling, maxNewTokens, prompt: known, answered: [...answer] } }),
  });
}

/** Gives the first stage what it lacks of prompt and answer, of its first `rows`. */
export function tellTokens(job: Job, rows?: number): { job: Job; effects: JobEffect[] } {
  const [first, ...rest] = job.stages as [JobStage, ...JobStage[]];
  const tokens = [...job.prompt, ...job.answer].slice(0, rows);
  if (first.vacant || first.rows >= tokens.length) return { job, effects: [] };
  // One frame always suffices: 4 bytes for each of prompt and answer are well below MAX_FRAME_BYTES.
  const ids = Int32Array.from(tokens.slice(first.rows));
  const frame = { job: job.id, sequence: 0, position: first.rows, sampleAfter: true, kind: 'tokens', ids } as const;
  return {
    job: { ...job, stages: [{ ...first, rows: tokens.length }, ...rest] },
    effects: [send(first.node, 'frame', { job: job.id, data: encodeFrame(frame) })],
  };
}
