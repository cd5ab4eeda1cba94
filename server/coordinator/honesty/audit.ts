/**
 * Checking a complete answer. Pure: `step(audits, event, context)`.
 *
 * An audit of a job: committing (those around the stages that were drawn say, as digests, what came in and went out)
 * → showing (the rows themselves, which must be those) → checking (others compute them again) → concluded.
 * Who can lie about what, and how it shows: docs/design.md.
 */
import type { FromCoordinator, FromNode } from '../../../shared/protocol/messages.ts';
import { type HolderView, type Job, type RoomView, rowsOf } from '../job.ts';
import type { Check } from './check.ts';
import type { Rows } from './rows.ts';
import type { Trust } from './trust.ts';

export type Commitment = Pick<FromNode['commitment'], 'received' | 'sent' | 'rows'>;

export interface Shown {
  /** Names it on the wire, as a check's id does. */
  id: string;
  rows: Rows;
}

export interface Audit {
  job: Job;
  phase: 'committing' | 'showing' | 'checking';
  /** Stages to be checked. */
  stages: readonly number[];
  /** Of stages that were asked; undefined until they answer. */
  commitments: ReadonlyMap<number, Commitment | undefined>;
  /** What stages sent, by stage, as they show it. */
  shown: ReadonlyMap<number, Shown>;
  /** By stage. */
  checks: ReadonlyMap<number, Check>;
  outcome: Outcome;
  /** Of the next progress, and of everything. */
  progressByMs: number;
  endsByMs: number;
}

/** What the checks of an answer found; nodes by address. */
export interface Outcome {
  passed: readonly string[];
  /** Gave a wrong answer, or lied. */
  caught: readonly string[];
  /** Did not show what they were asked for. */
  silent: readonly string[];
  /** Differ, and nobody can tell who lied. */
  disputed: readonly (readonly string[])[];
}

export interface Audits {
  running: ReadonlyMap<string, Audit>;
  /** Ids that checks had, also such as are over: what is said of them crosses their end on its way. Bounded. */
  named: ReadonlySet<string>;
}

export const NO_AUDITS: Audits = { running: new Map(), named: new Set() };

export type AuditEvent =
  /** A job was answered. */
  | { kind: 'begin'; job: Job }
  | { kind: 'commitment'; from: string; body: FromNode['commitment'] }
  | { kind: 'evidence'; from: string; body: FromNode['evidence'] }
  | { kind: 'checked'; from: string; body: FromNode['checked'] }
  | { kind: 'more'; from: string; body: FromNode['more'] }
  | { kind: 'jobFailed'; from: string; body: FromNode['jobFailed'] }
  /** A node's session is over, or it was set aside. */
  | { kind: 'gone'; node: string }
  /** These jobs are not waited for any more. */
  | { kind: 'drop'; jobs: ReadonlySet<string> }
  | { kind: 'tick' };

type Sent = 'audit' | 'show' | 'more' | 'checkOpen' | 'frame' | 'jobClose';

export type AuditEffect =
  | { [T in Sent]: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] } }[Sent]
  | { kind: 'concluded'; job: Job; outcome: Outcome };

export interface AuditContext {
  nowMs: number;
  newId(): string;
  /** In [0, 1), not to be foreseen. */
  random(): number;
  trustOf(node: string): Trust;
  /** Who holds a model now, and by how much rows of it may differ. */
  roomOf(model: string): { room: RoomView; tolerance: number } | undefined;
  /** Jobs that pass through each assignment. */
  loads: ReadonlyMap<string, number>;
}

/** An audit in the making, and what it has to tell. */
export interface Draft {
  audit: Audit;
  effects: AuditEffect[];
  context: AuditContext;
  /** Checks that run on each assignment, of all audits. */
  checking: ReadonlyMap<string, number>;
}

export function sendTo<T extends Sent>(to: string, type: T, body: FromCoordinator[T]): AuditEffect {
  return { kind: 'send', to, type, body } as AuditEffect;
}

/** What stage `stage` sent counts from this row on; before, another was its holder. The last stage's count tokens. */
export function sentFrom(job: Job, stage: number): number {
  return stage < job.stages.length - 1 ? job.stages[stage + 1]!.from : job.answerFrom;
}

/** Behind the last of them. */
export function sentTo(job: Job, stage: number): number {
  return stage < job.stages.length - 1 ? rowsOf(job) : job.answer.length;
}

/**
 * Whether a holder can be held to anything. One that came so late that others had all of its rows already may not have caught
 * up when the answer was complete; and as long as its successor has not said which rows it had, nobody knows whose they are.
 */
export function isAccountable(job: Job, stage: number): boolean {
  const { stages, draftKey } = job;
  const isLast = stage === stages.length - 1;
  const next = stages[isLast ? 0 : stage + 1]!;
  if (stages[stage]!.vacant || next.asked || sentFrom(job, stage) >= sentTo(job, stage)) return false;
  if (draftKey === undefined) return true;
  // What had passed as drafts makes an answer complete before all of it has passed again, from and to those who took over.
  const links = stages.slice(Math.max(1, stage), stage + 2);
  return links.every(({ epoch, passed }) => epoch === 0 || passed >= rowsOf(job));
}

export function holdersOf(room: RoomView, { start, end }: { start: number; end: number }): HolderView[] {
  return room.stages.find((stage) => stage.start === start && stage.end === end)?.holders ?? [];
}
