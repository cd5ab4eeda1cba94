/** How an audit goes from one phase to the next. */

import type { WireDtype } from '../../../shared/tensor/payload.ts';
import { type Draft, type Shown, sendTo, sentFrom, sentTo } from './audit.ts';
import { openCheck } from './check.ts';
import { add, dispute, isDisputed, leaveOut, senderTo } from './draft.ts';
import { brokenCommitments, disputedLinks, isShort } from './links.ts';
import { noRows } from './rows.ts';

/** Everybody has said what passed. Where two differ, both are looked at. */
export function show(draft: Draft): void {
  leaveOutShort(draft);
  const { audit } = draft;
  const { job } = audit;
  const differing = disputedLinks(audit).flatMap((stage) => (stage === 0 ? [stage] : [stage - 1, stage]));
  const inputs = (stage: number) => (stage === 0 ? [stage] : [stage - 1, stage]);
  // Without its input nothing can be computed again.
  const hasSaid = (stage: number) => audit.commitments.has(stage);
  const stages = [...new Set([...audit.stages, ...differing])].filter((stage) => inputs(stage).every(hasSaid));
  const shown = new Map<number, Shown>();
  for (const stage of new Set(stages.flatMap(inputs))) {
    const isLast = stage === job.stages.length - 1;
    const format: WireDtype = isLast ? 'f32' : job.wire;
    const [from, to] = [isLast ? sentFrom(job, stage) : 0, sentTo(job, stage)];
    const id = draft.context.newId();
    shown.set(stage, { id, rows: noRows(format, from, to) });
    draft.effects.push(sendTo(job.stages[stage]!.node, 'show', { job: job.id, check: id, from, rows: to }));
  }
  draft.audit = { ...audit, stages, shown, phase: 'showing' };
}

/** Who went on without rows, and who says that it has not sent them, differ; who had none to send on is not to blame. */
function leaveOutShort(draft: Draft): void {
  const { audit } = draft;
  const { stages } = audit.job;
  for (const stage of audit.commitments.keys()) {
    if (!isShort(audit, stage)) continue;
    if (!isShort(audit, stage + 1)) dispute(draft, stages[stage]!.node, stages[stage + 1]!.node);
    leaveOut(draft, stage);
  }
}

/** All rows are there. Who shows others than it said has lied; what the others sent is computed again. */
export function check(draft: Draft): void {
  const { audit } = draft;
  const broken = brokenCommitments(audit);
  add(draft, { caught: broken.map((stage) => audit.job.stages[stage]!.node) });
  draft.audit = { ...draft.audit, phase: 'checking' };
  for (const stage of audit.stages) {
    const isThere = (other: number) => audit.shown.has(other) && !broken.includes(other);
    if (!isThere(stage) || (stage > 0 && !isThere(stage - 1))) continue;
    if (!openCheck(draft, stage, new Set())) unchecked(draft, stage);
  }
}

/** Nobody could compute it again: where both ends of its input differ, that remains open. */
export function unchecked(draft: Draft, stage: number): void {
  if (isDisputed(draft.audit, stage)) dispute(draft, senderTo(draft.audit, stage), draft.audit.job.stages[stage]!.node);
}
