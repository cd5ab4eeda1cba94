/** What the steps of an audit do to it. A draft is the step's own copy. */
import type { Audit, Draft, Outcome } from './audit.ts';
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

/** A stage does not say or show what it was asked for. Its answer counts for nothing if it was to be checked. */
export function silenced(draft: Draft, stage: number): void {
  const { audit } = draft;
  const [commitments, shown] = [new Map(audit.commitments), new Map(audit.shown)];
  if (!commitments.delete(stage)) return;
  shown.delete(stage);
  const stages = audit.stages.filter((each) => each !== stage);
  draft.audit = { ...audit, commitments, shown, stages };
  if (audit.stages.includes(stage)) add(draft, { silent: [audit.job.stages[stage]!.node] });
}
