/** What the steps of an audit do to it. A draft is the step's own copy. */
import { rowsOf } from '../job.ts';
import { type Audit, type Draft, type Outcome, sendTo, sentFrom } from './audit.ts';
import { EVIDENCE_TIMEOUT_MS } from './limits.ts';
import { disputedLinks } from './links.ts';

export function add(draft: Draft, found: Partial<Outcome>): void {
  const { outcome } = draft.audit;
  draft.audit = {
    ...draft.audit,
    outcome: {
      passed: [...outcome.passed, ...(found.passed ?? [])],
      caught: [...outcome.caught, ...(found.caught ?? [])],
      silent: [...outcome.silent, ...(found.silent ?? [])],
      disputed: [...outcome.disputed, ...(found.disputed ?? [])],
    },
  };
}

export function dispute(draft: Draft, a: string, b: string): void {
  add(draft, a === b ? { caught: [a] } : { disputed: [[a, b]] });
}

export function progressed(draft: Draft): void {
  draft.audit = { ...draft.audit, progressByMs: draft.context.nowMs + EVIDENCE_TIMEOUT_MS };
}

/** Who gave a stage its input; of the first one that is the last, though the coordinator knows the tokens itself. */
export function senderTo({ job }: Audit, stage: number): string {
  return job.stages[(stage + job.stages.length - 1) % job.stages.length]!.node;
}

export function isDisputed(audit: Audit, stage: number): boolean {
  return disputedLinks(audit).includes(stage);
}

/** Has a stage say what came in and went out. */
export function ask(draft: Draft, stage: number): void {
  const { audit } = draft;
  const { node, from } = audit.job.stages[stage]!;
  draft.audit = { ...audit, commitments: new Map(audit.commitments).set(stage, undefined) };
  const range = { rows: rowsOf(audit.job), receivedFrom: from, sentFrom: sentFrom(audit.job, stage) };
  draft.effects.push(sendTo(node, 'audit', { job: audit.job.id, ...range }));
}

/** Goes on without a stage. False where nothing was asked of it. */
export function leaveOut(draft: Draft, stage: number): boolean {
  const { audit } = draft;
  const [commitments, shown] = [new Map(audit.commitments), new Map(audit.shown)];
  if (!commitments.delete(stage)) return false;
  shown.delete(stage);
  draft.audit = { ...audit, commitments, shown, stages: audit.stages.filter((each) => each !== stage) };
  return true;
}

/** A stage does not say or show what it was asked for. Its answer counts for nothing if it was to be checked. */
export function silenced(draft: Draft, stage: number): void {
  const { job, stages } = draft.audit;
  if (leaveOut(draft, stage) && stages.includes(stage)) add(draft, { silent: [job.stages[stage]!.node] });
}
