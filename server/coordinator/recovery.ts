/**
 * A job whose stage lost its holder goes on with another one. The replacement is told how far the answer is, its
 * predecessor sends its journal again, and nobody else computes anything twice. Pure.
 *
 * A stage of a job: held → vacant (its holder is lost) → held by another. Each time the links on both sides get a new
 * epoch, so that frames from before are recognised wherever they are met.
 */
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import {
  firmRows,
  type HolderView,
  isDirect,
  type Job,
  type JobEffect,
  type JobStage,
  NEW_LINK,
  type RoomView,
  send,
} from './job.ts';
import { MAX_REPLACEMENTS, REPLACEMENT_TIMEOUT_MS, REPLAY_TIMEOUT_MS } from './limits.ts';
import { bestHolder, type Known } from './pace.ts';
import { open, tellTokens } from './requests.ts';

export function lost(stage: number): WireError {
  return AiloError.of('STAGE_LOST', { stage }).toWire();
}

interface Change {
  job: Job;
  effects: JobEffect[];
}

/** Takes a stage from its holder, which is told in case it is still there. `sinceMs`: when it was lost. */
export function vacate(job: Job, stage: number, error: WireError, nowMs: number, sinceMs = nowMs): Change {
  const { node } = job.stages[stage]!;
  return {
    job: {
      ...job,
      stages: job.stages.with(stage, { ...job.stages[stage]!, rows: 0, vacant: error }),
      former: new Set(job.former).add(node),
      pause: { sinceMs: Math.min(job.pause?.sinceMs ?? sinceMs, sinceMs), resumesAt: job.pause?.resumesAt ?? 0 },
      deadlineMs: nowMs + REPLACEMENT_TIMEOUT_MS,
    },
    effects: [send(node, 'jobClose', { job: job.id, reason: 'failed' })],
  };
}

/**
 * Finds holders for what is vacant, and for what a node holds that has been away for a while, where another could go
 * on at once. `failed`: nobody has the stage loaded, and nobody is loading it.
 */
export function mend(job: Job, room: RoomView, known: Known): Change & { failed?: WireError } {
  const { nowMs } = known;
  let change: Change = { job, effects: [] };
  const then = (next: Change) => {
    change = { job: next.job, effects: [...change.effects, ...next.effects] };
  };
  for (const [stage, { start, end, assignment, vacant }] of job.stages.entries()) {
    const holders = room.stages.find((other) => other.start === start && other.end === end)?.holders ?? [];
    const able = holders.filter((holder) => !job.unable.has(holder.assignment));
    const awaySinceMs = able.find((holder) => holder.assignment === assignment)?.awaySinceMs;
    if (!vacant && awaySinceMs === undefined) continue;
    const chosen = bestHolder(able, known);
    const isHere = chosen && chosen.awaySinceMs === undefined;
    if (vacant && (able.length === 0 || (isHere && change.job.epoch >= MAX_REPLACEMENTS))) {
      return { ...change, failed: vacant };
    }
    if (!isHere || change.job.epoch >= MAX_REPLACEMENTS) continue;
    if (!vacant) then(vacate(change.job, stage, lost(stage), nowMs, awaySinceMs));
    then(replace(change.job, stage, chosen, nowMs));
  }
  return change;
}

function replace(job: Job, stage: number, { node, assignment, direct }: HolderView, nowMs: number): Change {
  const epoch = job.epoch + 1;
  const last = job.stages.length - 1;
  const next = (stage + 1) % job.stages.length;
  const { start, end } = job.stages[stage]!;
  const known = job.prompt.length + job.answer.length;
  const stages = job.stages.map((each, i): JobStage => {
    if (i === stage)
      return {
        start,
        end,
        node,
        assignment,
        ...NEW_LINK,
        epoch,
        ...(direct && job.draftKey === undefined && { direct }),
      };
    const from = stage === last ? known : firmRows(job, i);
    return i === next ? { ...each, epoch, from, passed: 0, ...(isAsked(each) && { asked: true }) } : each;
  });
  // Rows that are past the stage already (`jobRows` may tell of more) make tokens up to the one after them.
  const resumesAt = stage === last ? job.answer.length : firmRows(job, next) - job.prompt.length + 1;
  const pause = { sinceMs: nowMs, ...job.pause, resumesAt: Math.max(job.pause?.resumesAt ?? 0, resumesAt) };
  const answerFrom = stage === last ? job.answer.length : job.answerFrom;
  const replaced = { ...job, stages, epoch, pause, answerFrom, deadlineMs: nowMs + REPLAY_TIMEOUT_MS };
  const effects = [open(replaced, stage)];
  const before = stages[stage === 0 ? last : stage - 1]!;
  if (last > 0 && !before.vacant) {
    // What the answer has so far comes to a first stage from here, not from the last.
    const has = stage === 0 ? known : 0;
    const isNear = isDirect(before, stages[stage]!);
    effects.push(
      send(before.node, 'jobNext', { job: job.id, next: node, epoch, has, ...(isNear && { direct: true }) }),
    );
  }
  const after = stages[next]!;
  if (last > 0 && isAsked(after)) {
    const isNear = isDirect(stages[stage]!, after);
    effects.push(send(after.node, 'jobPrevious', { job: job.id, epoch, ...(isNear && { node }) }));
  }
  const told = stage === 0 || stage === last ? tellTokens(replaced) : { job: replaced, effects: [] };
  return { job: told.job, effects: [...effects, ...told.effects] };
}

/** Frames may have come to it that were not seen here. */
function isAsked({ direct, vacant }: JobStage): boolean {
  return direct === true && !vacant;
}
