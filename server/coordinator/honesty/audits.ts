/** All audits: events in, what is to be told and what came out of them out. Pure. */
import { another, checked, committed, evidence, gone, timedOut, withCheck } from './answers.ts';
import type { Audit, AuditContext, AuditEffect, AuditEvent, Audits, Draft } from './audit.ts';
import { closeCheck, feed, put } from './check.ts';
import { ask, progressed } from './draft.ts';
import { AUDIT_TIMEOUT_MS, EVIDENCE_TIMEOUT_MS, MAX_EVIDENCE_BYTES, MAX_NAMED_CHECKS } from './limits.ts';
import { witnesses } from './links.ts';
import { check, show } from './phases.ts';
import { isComplete } from './rows.ts';
import { drawStages } from './sampling.ts';

export interface NextAudits {
  audits: Audits;
  effects: AuditEffect[];
}

export function step(audits: Audits, event: AuditEvent, context: AuditContext): NextAudits {
  if (event.kind === 'begin') return begin(audits, event, context);
  if (event.kind === 'drop') return drop(audits, event.jobs);
  let next: NextAudits = { audits, effects: [] };
  for (const audit of audits.running.values()) {
    const draft: Draft = { audit, effects: [], context, checking: checking(next.audits) };
    if (!concerns(audit, event)) continue;
    handle(draft, event);
    next = settle(next, draft);
  }
  return next;
}

/** Whether a message names something that is, or was, checked, so that it is not for the jobs. */
export function isOfCheck({ named }: Audits, id: string): boolean {
  return named.has(id);
}

function begin(audits: Audits, { job }: AuditEvent & { kind: 'begin' }, context: AuditContext): NextAudits {
  const room = context.roomOf(job.model)?.room;
  const counts = checking(audits);
  const load = (assignment: string) => (context.loads.get(assignment) ?? 0) + (counts.get(assignment) ?? 0);
  const hasSpace = evidenceBytes(audits) < MAX_EVIDENCE_BYTES;
  const stages = room && hasSpace ? drawStages(job, room, { ...context, load }) : [];
  const audit: Audit = {
    job,
    phase: 'committing',
    stages,
    commitments: new Map(),
    shown: new Map(),
    checks: new Map(),
    outcome: { passed: [], caught: [], silent: [], disputed: [] },
    progressByMs: context.nowMs + EVIDENCE_TIMEOUT_MS,
    endsByMs: context.nowMs + AUDIT_TIMEOUT_MS,
  };
  const draft: Draft = { audit, effects: [], context, checking: counts };
  for (const stage of witnesses({ job, stages })) ask(draft, stage);
  return settle({ audits, effects: [] }, draft);
}

/** Goes on to the next phase where this one is through, and ends where nothing is left to do. */
function settle({ audits, effects }: NextAudits, draft: Draft): NextAudits {
  if (draft.audit.phase === 'committing' && [...draft.audit.commitments.values()].every((said) => said)) show(draft);
  if (draft.audit.phase === 'showing' && [...draft.audit.shown.values()].every(({ rows }) => isComplete(rows))) {
    check(draft);
  }
  const { audit } = draft;
  const running = new Map(audits.running);
  const named = withNames(audits.named, audit);
  const isOver = audit.phase === 'checking' && [...audit.checks.values()].every(({ over }) => over);
  if (!isOver) {
    running.set(audit.job.id, audit);
    return { audits: { running, named }, effects: [...effects, ...draft.effects] };
  }
  running.delete(audit.job.id);
  const { job, outcome } = audit;
  return { audits: { running, named }, effects: [...effects, ...draft.effects, { kind: 'concluded', job, outcome }] };
}

function drop(audits: Audits, jobs: ReadonlySet<string>): NextAudits {
  const running = new Map(audits.running);
  const effects: AuditEffect[] = [];
  for (const [id, audit] of audits.running) {
    if (!jobs.has(id)) continue;
    running.delete(id);
    effects.push(...[...audit.checks.values()].flatMap(closeCheck));
  }
  return { audits: { ...audits, running }, effects };
}

function concerns(audit: Audit, event: AuditEvent): boolean {
  switch (event.kind) {
    case 'commitment':
      return audit.job.id === event.body.job;
    case 'evidence':
    case 'checked':
      return isNamed(audit, event.body.check);
    case 'more':
    case 'jobFailed':
      return isNamed(audit, event.body.job);
    default:
      return true;
  }
}

function isNamed(audit: Audit, id: string): boolean {
  return namesOf(audit).includes(id);
}

function namesOf({ checks, shown }: Audit): string[] {
  return [...checks.values(), ...shown.values()].map(({ id }) => id);
}

function withNames(named: ReadonlySet<string>, audit: Audit): ReadonlySet<string> {
  const added = namesOf(audit).filter((id) => !named.has(id));
  return added.length === 0 ? named : new Set([...named, ...added].slice(-MAX_NAMED_CHECKS));
}

function checking(audits: Audits): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { checks } of audits.running.values()) {
    for (const { assignment, over } of checks.values()) {
      if (!over) counts.set(assignment, (counts.get(assignment) ?? 0) + 1);
    }
  }
  return counts;
}

function evidenceBytes(audits: Audits): number {
  const rows = [...audits.running.values()].flatMap(({ shown, checks }) => [
    ...[...shown.values()].map((each) => each.rows),
    ...[...checks.values()].map(({ found }) => found),
  ]);
  return rows.flatMap(({ payloads }) => payloads).reduce((sum, payload) => sum + payload.length, 0);
}

function handle(draft: Draft, event: Exclude<AuditEvent, { kind: 'begin' | 'drop' }>): void {
  const { nowMs } = draft.context;
  switch (event.kind) {
    case 'commitment':
      committed(draft, event.from, event.body);
      break;
    case 'evidence':
      evidence(draft, event.from, event.body);
      break;
    case 'checked':
      withCheck(draft, event.from, event.body.check, (check) => checked(draft, check, event.body.wrong));
      break;
    case 'more':
      withCheck(draft, event.from, event.body.job, (check) => {
        progressed(draft);
        put(draft, feed(draft, check));
      });
      break;
    case 'jobFailed':
      withCheck(draft, event.from, event.body.job, (check) => another(draft, check));
      break;
    case 'gone':
      gone(draft, event.node);
      break;
    case 'tick':
      if (nowMs >= draft.audit.progressByMs || nowMs >= draft.audit.endsByMs) timedOut(draft);
  }
}
