/**
 * An answer that is begun anew, because somebody computed it wrong. What the requester has been shown stands until the
 * new attempt says otherwise: most of it is usually right. Pure.
 */
import { AiloError } from '../../shared/errors/index.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { MAX_REDONE } from './honesty/limits.ts';
import {
  type Job,
  type JobContext,
  type JobEffect,
  type JobEvent,
  type JobStage,
  type Jobs,
  NEW_LINK,
  type RoomView,
  send,
} from './job.ts';
import { REPLACEMENT_TIMEOUT_MS, TOKEN_TIMEOUT_MS } from './limits.ts';
import { bestHolder, known } from './pace.ts';
import { lost } from './recovery.ts';
import { open, tellTokens } from './requests.ts';
import { end, failed, type Next, remember } from './transitions.ts';

export function redo(jobs: Jobs, event: JobEvent & { kind: 'redo' }, context: JobContext): Next {
  let next: Next = { jobs, effects: [] };
  for (const job of jobs.running.values()) {
    const touched = [...event.nodes].some((node) => job.former.has(node) || job.stages.some((s) => s.node === node));
    if (job.model !== event.model || !(touched || event.jobs.has(job.id))) continue;
    const then = again(next.jobs, job, event.room, context);
    next = { jobs: then.jobs, effects: [...next.effects, ...then.effects] };
  }
  return next;
}

function again(jobs: Jobs, job: Job, room: RoomView, context: JobContext): Next {
  const disputed = () => AiloError.of('ANSWER_DISPUTED', { times: job.redone }).toWire();
  if (job.redone >= MAX_REDONE) return end(jobs, job, 'failed', [failed(job, disputed())]);
  if (room.stages.length === 0) return end(jobs, job, 'failed', [failed(job, lost(0))]);
  const closed = end(jobs, job, 'failed', []);
  const begun = begin(closed.jobs, job, room, context);
  const running = new Map(closed.jobs.running).set(begun.job.id, begun.job);
  const remembered = remember(closed.jobs, job.id);
  return { jobs: { ...closed.jobs, running, remembered }, effects: [...closed.effects, ...begun.effects] };
}

/** The same question to other nodes. A stage that nobody holds now waits for a holder, as after a loss. */
function begin(jobs: Jobs, before: Job, room: RoomView, { nowMs, newId }: JobContext) {
  const about = known(jobs, nowMs);
  const stages = room.stages.map(({ start, end, holders }, i): JobStage => {
    const holder = bestHolder(holders, about);
    const link = { start, end, ...NEW_LINK };
    if (holder) {
      const { node, assignment, direct } = holder;
      return { ...link, node, assignment, ...(direct && before.draftKey === undefined && { direct }) };
    }
    // Until then its place is the requester's, to whom nothing is sent.
    return { ...link, node: before.requester, assignment: '', vacant: lost(i) };
  });
  const { pause: _, done: __, due: ___, ...rest } = before;
  const job: Job = {
    ...rest,
    id: newId(),
    stages,
    answer: [],
    answerFrom: 0,
    shown: before.shown ?? before.answer,
    redone: before.redone + 1,
    startedMs: nowMs,
    tokenMs: nowMs,
    deadlineMs: nowMs + (stages.some(({ vacant }) => vacant) ? REPLACEMENT_TIMEOUT_MS : TOKEN_TIMEOUT_MS),
    epoch: 0,
    former: new Set(),
    unable: new Set(),
  };
  const opens = stages.flatMap(({ vacant }, stage) => (vacant ? [] : [open(job, stage)]));
  const participants = stages.flatMap(({ node, vacant }) => (vacant ? [] : [node]));
  const accepted = send(job.requester, 'accepted', { request: job.request, participants });
  const begun = tellTokens(job);
  return { job: begun.job, effects: [...opens, accepted, ...begun.effects] };
}

type Told = Pick<FromCoordinator['token'], 'index' | 'token' | 'pausedMs'>;

/** What the requester is told of the next token, and what then still stands of an earlier attempt. */
export function tellToken(job: Job, told: Told): { effects: JobEffect[]; shown: readonly number[] | undefined } {
  const { request, requester, shown = [] } = job;
  const { index, token } = told;
  if (shown[index] === token) return { effects: [], shown: index + 1 < shown.length ? shown : undefined };
  const rewind = index < shown.length ? [send(requester, 'rewind', { request, index })] : [];
  return { effects: [...rewind, send(requester, 'token', { request, ...told })], shown: undefined };
}
