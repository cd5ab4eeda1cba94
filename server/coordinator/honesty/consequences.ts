/** What the outcome of an answer's checks means for those who took part in it. Pure. */
import type { Job } from '../job.ts';
import type { Outcome } from './audit.ts';
import { caught, disputed, passed, silent, type Trust } from './trust.ts';

export interface Consequences {
  /** How each wallet's trust changes, in order. */
  changes: { node: string; change: (trust: Trust) => Trust }[];
  /** Do not contribute for now. */
  aside: string[];
  /** The answer is not to be relied on. */
  redo: boolean;
}

export function consequencesOf({ stages }: Job, outcome: Outcome, nowMs: number): Consequences {
  const liars = new Set(outcome.caught);
  const silents = outcome.silent.filter((node) => !liars.has(node));
  const differing = outcome.disputed.flatMap((parties) =>
    parties.some((node) => liars.has(node))
      ? []
      : parties.map((node) => ({ node, others: parties.filter((p) => p !== node) })),
  );
  const aside = [...new Set([...liars, ...silents, ...differing.map(({ node }) => node)])];
  const changes = [
    ...[...liars].map((node) => ({ node, change: (trust: Trust) => caught(trust, nowMs) })),
    ...silents.map((node) => ({ node, change: silent })),
    ...differing.map(({ node, others }) => ({
      node,
      change: (trust: Trust) => others.reduce((sum, other) => disputed(sum, other, nowMs), trust),
    })),
    ...outcome.passed.filter((node) => !aside.includes(node)).map((node) => ({ node, change: passed })),
  ];
  return { changes, aside, redo: stages.some(({ node }) => aside.includes(node)) };
}
