/** One stage of an answer, computed again by one node, and where that one disagrees by a second. Pure. */

import { rowsPerStep } from '../../../shared/node/step.ts';
import { encodeFrame, encodeHiddenRows } from '../../../shared/tensor/frame.ts';
import { joinRows } from '../../../shared/tensor/payload.ts';
import { rowsOf } from '../job.ts';
import { type AuditEffect, type Draft, sendTo, sentFrom, sentTo } from './audit.ts';
import { CHECK_WINDOW_BYTES } from './limits.ts';
import { gather, isComplete, noRows, payloadOf, type Rows, valuesOf } from './rows.ts';
import { chooseChecker } from './sampling.ts';
import { type Judgement, judge, type Opinion } from './verdict.ts';

/** A recomputation under way. */
export interface Check {
  /** Names it on the wire, where a job's id would be. */
  id: string;
  stage: number;
  node: string;
  assignment: string;
  /** Rows that the checker has been given. */
  fed: number;
  found: Rows;
  /** Who was asked already, this one too. */
  tried: ReadonlySet<string>;
  /** What another has found, and does not agree with what was sent. */
  first?: Opinion;
  over: boolean;
}

/** Asks another holder of the stage. False where there is none. */
export function openCheck(draft: Draft, stage: number, tried: ReadonlySet<string>, first?: Opinion): boolean {
  const { job } = draft.audit;
  const room = draft.context.roomOf(job.model);
  if (!room) return false;
  const { loads, random, trustOf, newId } = draft.context;
  const load = (assignment: string) => (loads.get(assignment) ?? 0) + (draft.checking.get(assignment) ?? 0);
  const chosen = chooseChecker(job, stage, room.room, tried, { random, trustOf, load });
  if (!chosen) return false;
  const isLast = stage === job.stages.length - 1;
  const { node, assignment } = chosen;
  const check: Check = {
    id: newId(),
    stage,
    node,
    assignment,
    fed: 0,
    found: noRows(isLast ? 'f32' : job.wire, 0, sentTo(job, stage)),
    tried: new Set(tried).add(node),
    over: false,
    ...(first && { first }),
  };
  const { sampling, prompt, answer, wire } = job;
  const known = sampling.repetitionPenalty === 1 ? [] : [...prompt];
  const open = { check: check.id, assignment, rows: rowsOf(job), promptTokens: prompt.length, wire };
  const sample = { sampling, prompt: known, answer: [...answer], tolerance: room.tolerance };
  draft.effects.push(sendTo(node, 'checkOpen', { ...open, ...(isLast && { sample }) }));
  put(draft, feed(draft, check));
  return true;
}

/** Gives the checker what comes next of the stage's input, a window at a time. */
export function feed(draft: Draft, check: Check): Check {
  const { job, shown } = draft.audit;
  if (check.stage === 0) {
    if (check.fed > 0) return check;
    const ids = Int32Array.from([...job.prompt, ...job.answer].slice(0, rowsOf(job)));
    const frame = { job: check.id, sequence: 0, position: 0, sampleAfter: false, kind: 'tokens', ids } as const;
    draft.effects.push(sendTo(check.node, 'frame', { job: check.id, data: encodeFrame(frame) }));
    return { ...check, fed: ids.length };
  }
  const { rows } = shown.get(check.stage - 1)!;
  const width = { inWidth: rows.columns, outWidth: rows.columns };
  const shape = { takes: 'hidden', gives: 'hidden', ...width, vocabSize: job.vocabSize } as const;
  // As large as the stage got them: in int8 it matters what is computed together.
  const most = rowsPerStep(shape, job.wire);
  let { fed } = check;
  for (let sentBytes = 0; fed < rows.end && sentBytes < CHECK_WINDOW_BYTES; ) {
    const count = Math.min(most, rows.end - fed);
    const payload = joinRows(payloadOf(rows, fed, fed + count), count, job.wire);
    const head = { job: check.id, sequence: 0, position: fed, sampleAfter: false };
    const data = encodeHiddenRows(head, [count, rows.columns], job.wire, payload);
    fed += count;
    sentBytes += data.length;
    const more = fed < rows.end && sentBytes >= CHECK_WINDOW_BYTES;
    draft.effects.push(sendTo(check.node, 'frame', { job: check.id, data, ...(more && { more }) }));
  }
  return { ...check, fed };
}

/** One more frame of what the checker computed; undefined for one that does not follow. Throws FRAME_INVALID. */
export function take(check: Check, data: Uint8Array): Check | undefined {
  const found = gather(check.found, data);
  return found && { ...check, found };
}

/** What comes of a check whose checker is through. `open` where its rows are not all there. */
export function concludeCheck(draft: Draft, check: Check, wrong: readonly number[]): Judgement | { kind: 'useless' } {
  const { job, shown } = draft.audit;
  const tolerance = draft.context.roomOf(job.model)?.tolerance;
  if (!isComplete(check.found) || tolerance === undefined) return { kind: 'useless' };
  const start = sentFrom(job, check.stage);
  const { rows } = shown.get(check.stage)!;
  const own = wrong.filter((index) => index >= start);
  const opinion = { ...opinionOf(check.node, check.found, start), wrong: own };
  const claim = opinionOf(job.stages[check.stage]!.node, rows, start);
  const judgement = judge(claim, check.first ? [check.first, opinion] : [opinion], tolerance);
  if (judgement.kind !== 'open') return judgement;
  if (openCheck(draft, check.stage, check.tried, opinion)) return judgement;
  return { kind: 'unclear' };
}

function opinionOf(node: string, rows: Rows, start: number): Opinion {
  return { node, values: valuesOf(rows, start), columns: Math.max(1, rows.columns), wrong: [] };
}

export function closeCheck({ id, node, over }: Check): AuditEffect[] {
  return over ? [] : [sendTo(node, 'jobClose', { job: id, reason: 'done' })];
}

export function put(draft: Draft, check: Check): void {
  draft.audit = { ...draft.audit, checks: new Map(draft.audit.checks).set(check.stage, check) };
}
