/**
 * A group of workers whose updates are summed under masks (shared/train/group/member.ts), as the coordinator sees it:
 * plain data and pure steps. At every stage all who are left are asked something; it ends when all have answered, or
 * at its time, with those who have, if they are enough. So no group waits for ever.
 */
import type { KeyList, MemberKeys } from '../../../shared/train/group/statements.ts';

/** What members are asked for, in this order; then the coordinator adds up. */
export const STAGES = ['keys', 'shares', 'updates', 'agreement', 'reveal'] as const;
export type AskedStage = (typeof STAGES)[number];
export type Stage = AskedStage | 'sum' | 'summed' | 'failed';

/** By address. */
type ByMember<T> = Readonly<Record<string, T>>;

export interface Group {
  /** Its unit: 128 bits, hex. */
  id: string;
  round: number;
  /** SHA-256 of the weights that all start from, hex. */
  start: string;
  /** Sorted addresses. */
  members: readonly string[];
  threshold: number;
  assignedMs: number;
  stage: Stage;
  endsMs: number;
  /** What each one answered. */
  keys: KeyList;
  /** For each other, sealed. */
  shares: ByMember<ByMember<string>>;
  updates: ByMember<{ hash: string; arrivedMs: number }>;
  /** Signatures. */
  agreement: ByMember<string>;
  /** Of each member, one share. */
  reveal: ByMember<ByMember<string>>;
  /** Why it failed. */
  reason?: string;
}

export type Saying =
  | { stage: 'keys'; answer: MemberKeys }
  | { stage: 'shares'; answer: ByMember<string> }
  | { stage: 'updates'; answer: { hash: string; arrivedMs: number } }
  | { stage: 'agreement'; answer: string }
  | { stage: 'reveal'; answer: ByMember<string> };

export interface GroupTiming {
  graceMs: number;
  roundTimeoutMs: number;
  quorumPermille: number;
}

/** Who is asked at the group's stage: those who answered the one before. */
export function asked(group: Group, stage: Stage = group.stage): string[] {
  switch (stage) {
    case 'keys':
      return [...group.members];
    case 'shares':
      return Object.keys(group.keys);
    case 'updates':
      return Object.keys(group.shares);
    case 'agreement':
    case 'reveal':
      return survivorsOf(group);
    default:
      return [];
  }
}

/** Who is in the sum, sorted: who sent an update in time. */
export function survivorsOf({ updates }: Group): string[] {
  return Object.keys(updates).sort();
}

export function isRunning({ stage }: Group): boolean {
  return stage !== 'summed' && stage !== 'failed';
}

/** Whether the group still wants that from the member. */
export function wants(group: Group, wallet: string, stage: AskedStage): boolean {
  return group.stage === stage && asked(group).includes(wallet) && !Object.hasOwn(group[stage], wallet);
}

/** The group after a member's answer; the same group where it is not wanted any more. */
export function hear(group: Group, wallet: string, { stage, answer }: Saying): Group {
  if (!wants(group, wallet, stage)) return group;
  return { ...group, [stage]: { ...group[stage], [wallet]: answer } };
}

/** As far as it can go by itself. `present`: who is connected. */
export function advance(group: Group, present: ReadonlySet<string>, timing: GroupTiming, nowMs: number): Group {
  const stage = STAGES.find((stage) => stage === group.stage);
  if (stage === undefined) return group;
  const wanted = asked(group);
  const answered = Object.keys(group[stage]).length;
  if (answered < wanted.length && nowMs < group.endsMs) return hurry(group, stage, present, timing, nowMs);
  if (answered < group.threshold) return fail(group, `only ${answered} of ${group.members.length} members remained`);
  const next = STAGES[STAGES.indexOf(stage) + 1] ?? 'sum';
  const withinMs = next === 'updates' ? timing.roundTimeoutMs : timing.graceMs;
  return { ...group, stage: next, endsMs: nowMs + withinMs };
}

/** Updates are waited for no longer than the grace, once enough are in or nobody is left who could send one. */
function hurry(
  group: Group,
  stage: AskedStage,
  present: ReadonlySet<string>,
  { graceMs, quorumPermille }: GroupTiming,
  nowMs: number,
): Group {
  if (stage !== 'updates') return group;
  const wanted = asked(group);
  const missing = wanted.filter((wallet) => !Object.hasOwn(group.updates, wallet));
  const answered = wanted.length - missing.length;
  const enough = answered >= Math.max(group.threshold, Math.ceil((wanted.length * quorumPermille) / 1000));
  if (!enough && missing.some((wallet) => present.has(wallet))) return group;
  const endsMs = Math.min(group.endsMs, nowMs + graceMs);
  return endsMs === group.endsMs ? group : { ...group, endsMs };
}

export function fail(group: Group, reason: string): Group {
  return { ...group, stage: 'failed', reason };
}
