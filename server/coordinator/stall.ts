/**
 * A job of which no word came in time: a node has a row and does not send on what it makes of it. It is taken out of the job,
 * and the answer goes on with another. Pure.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { hasNewestRow } from './ahead.ts';
import { hasVacancy, isDirect, type Job, type JobEffect, send } from './job.ts';
import { MAX_STALLS, STALL_ASK_MS, TOKEN_TIMEOUT_MS } from './limits.ts';
import { vacate } from './recovery.ts';

export const STALLED = AiloError.of('JOB_STALLED', { timeoutMs: TOKEN_TIMEOUT_MS }).toWire();

/** The place of the last stage that has the row of the next token: the one after it waits. */
export function stalledStage(job: Job): number {
  const { stages } = job;
  const waiting = stages.findIndex((_, place) => !hasNewestRow(job, place));
  // The first waits for the token of the last.
  return waiting < 0 ? stages.length - 1 : (waiting + stages.length - 1) % stages.length;
}

/** Undefined where nobody else is to be tried. Rows that come directly are told now and then: their stages are asked before. */
export function rescue(job: Job, nowMs: number): { job: Job; effects: JobEffect[] } | undefined {
  if (hasVacancy(job) || job.stalls >= MAX_STALLS) return undefined;
  const asks = job.asking ? [] : askAll(job);
  if (asks.length > 0) return { job: { ...job, asking: true, deadlineMs: nowMs + STALL_ASK_MS }, effects: asks };
  const { asking: _, ...rest } = job;
  const stage = stalledStage(job);
  const { node } = job.stages[stage]!;
  const vacated = vacate({ ...rest, stalls: job.stalls + 1 }, stage, STALLED, nowMs, job.tokenMs);
  return { job: vacated.job, effects: [...vacated.effects, { kind: 'unreliable', job, node }] };
}

function askAll({ id, stages }: Job): JobEffect[] {
  return stages.flatMap((stage, place) => {
    const before = stages.at(place - 1)!;
    if (!isDirect(before, stage)) return [];
    return [send(stage.node, 'jobPrevious', { job: id, epoch: stage.epoch, node: before.node })];
  });
}
