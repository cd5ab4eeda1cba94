/** What nodes say within an audit, and what follows from their silence. */
import { AiloError } from '../../../shared/errors/index.ts';
import type { FromNode } from '../../../shared/protocol/messages.ts';
import { type Draft, isAccountable, sendTo } from './audit.ts';
import { type Check, closeCheck, concludeCheck, openCheck, put, take } from './check.ts';
import { add, ask, dispute, isDisputed, progressed, senderTo, silenced } from './draft.ts';
import { isShort } from './links.ts';
import { unchecked } from './phases.ts';
import { gather, isComplete } from './rows.ts';

export function committed(draft: Draft, from: string, { received, sent, rows }: FromNode['commitment']): void {
  const { audit } = draft;
  const stage = audit.job.stages.findIndex(({ node }) => node === from);
  if (audit.phase !== 'committing' || !audit.commitments.has(stage) || audit.commitments.get(stage)) return;
  draft.audit = { ...audit, commitments: new Map(audit.commitments).set(stage, { received, sent, rows }) };
  progressed(draft);
  // Those after it may have as few; the one who went on without is next to one who has not.
  const next = stage + 1;
  if (isShort(draft.audit, stage) && !audit.commitments.has(next) && isAccountable(audit.job, next)) ask(draft, next);
}

export function evidence(draft: Draft, from: string, { check: id, data, more }: FromNode['evidence']): void {
  const { audit } = draft;
  const place = [...audit.shown].find(([stage, shown]) => shown.id === id && audit.job.stages[stage]!.node === from);
  if (!place) {
    withCheck(draft, from, id, (check) => foundMore(draft, check, data));
    return;
  }
  const [stage, shown] = place;
  const rows = read(() => gather(shown.rows, data));
  if (!rows) {
    silenced(draft, stage);
    return;
  }
  draft.audit = { ...audit, shown: new Map(audit.shown).set(stage, { id, rows }) };
  if (more) draft.effects.push(sendTo(from, 'more', { job: id }));
  progressed(draft);
}

function foundMore(draft: Draft, check: Check, data: Uint8Array): void {
  const longer = read(() => take(check, data));
  progressed(draft);
  if (longer) put(draft, longer);
  else another(draft, check);
}

export function checked(draft: Draft, check: Check, wrong: readonly number[]): void {
  progressed(draft);
  const { job } = draft.audit;
  const judgement = concludeCheck(draft, check, wrong);
  draft.effects.push(...closeCheck(check));
  if (judgement.kind === 'useless') another(draft, check, false);
  // Where a second one is asked, it has taken the place of this.
  if (judgement.kind === 'useless' || judgement.kind === 'open') return;
  put(draft, { ...check, over: true });
  const holder = job.stages[check.stage]!.node;
  const sender = senderTo(draft.audit, check.stage);
  const differs = isDisputed(draft.audit, check.stage);
  if (judgement.kind === 'unclear') {
    add(draft, { disputed: [[holder, ...(check.first ? [check.first.node] : []), check.node].filter(unique)] });
  } else if (judgement.kind === 'liar' && judgement.node !== holder) {
    add(draft, { caught: [judgement.node] });
  } else if (judgement.kind === 'agreed') {
    // It computed from what its predecessor shows, so that is what it received, whatever it says.
    add(draft, differs ? { caught: [holder] } : { passed: [holder] });
  } else if (differs) {
    // Perhaps it was sent something else than what is shown now. Whoever is caught otherwise has decided it.
    dispute(draft, sender, holder);
  } else {
    add(draft, { caught: [holder] });
  }
}

/** The checker can't, or what it says is no use: somebody else may. */
export function another(draft: Draft, check: Check, tell = true): void {
  if (tell) draft.effects.push(...closeCheck(check));
  if (openCheck(draft, check.stage, check.tried, check.first)) return;
  put(draft, { ...check, over: true });
  const holder = draft.audit.job.stages[check.stage]!.node;
  if (check.first) add(draft, { disputed: [[holder, check.first.node]] });
  else unchecked(draft, check.stage);
}

export function gone(draft: Draft, node: string): void {
  const { audit } = draft;
  const stage = audit.job.stages.findIndex((each) => each.node === node);
  if (stage >= 0 && audit.phase !== 'checking') silenced(draft, stage);
  for (const check of draft.audit.checks.values()) if (check.node === node && !check.over) another(draft, check);
}

export function timedOut(draft: Draft): void {
  const { audit, context } = draft;
  progressed(draft);
  if (audit.phase === 'committing') {
    for (const [stage, said] of audit.commitments) if (!said) silenced(draft, stage);
  } else if (audit.phase === 'showing') {
    for (const [stage, { rows }] of audit.shown) if (!isComplete(rows)) silenced(draft, stage);
  } else {
    const isOver = context.nowMs >= audit.endsByMs;
    for (const check of audit.checks.values()) {
      if (check.over) continue;
      if (isOver) {
        draft.effects.push(...closeCheck(check));
        put(draft, { ...check, over: true });
      } else another(draft, check);
    }
  }
}

export function withCheck(draft: Draft, from: string, id: string, then: (check: Check) => void): void {
  const check = [...draft.audit.checks.values()].find((each) => each.id === id && each.node === from && !each.over);
  if (check) then(check);
}

/** Undefined for bytes that are no frame. */
function read<T>(parse: () => T | undefined): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof AiloError) return undefined;
    throw error;
  }
}

function unique<T>(item: T, index: number, all: T[]): boolean {
  return all.indexOf(item) === index;
}
