/** What a running inference is, and what is said of it; jobs.ts decides. */
import type { AiloError, WireError } from '../../shared/errors/index.ts';
import type { UnitRange } from '../../shared/graph/types.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import type { Ahead } from './ahead.ts';
import type { Pace, Paces } from './pace.ts';

/** What a request needs to know of the room that is to answer it. */
export interface RoomView {
  contextLength: number;
  vocabSize: number;
  /** An answer ends with the first of them. */
  eosTokens: readonly number[];
  maxSequences: number;
  wire: FromCoordinator['jobOpen']['wire'];
  /** Its jobs draft. */
  drafts?: boolean;
  /** In order; the room answers when there is at least one and each has a holder that is ready. */
  stages: StageView[];
  /** For the sentence, while there are no stages yet. */
  plannedStages: number;
}

export interface StageView extends UnitRange {
  holders: HolderView[];
}

export interface HolderView {
  node: string;
  assignment: string;
  ready: boolean;
  /** It can be linked directly with its neighbours. */
  direct?: true;
  /** Since when (ms) its socket has been gone for longer than a hiccup. It may come back until its session ends. */
  awaySinceMs?: number;
}

/** A stage of the job and who computes it now. The link *into* a stage is kept with it. */
export interface JobStage extends UnitRange {
  node: string;
  assignment: string;
  /** Of the link into this stage: frames with another epoch were sent to, or by, a holder that was replaced since. */
  epoch: number;
  /**
   * Rows of the sequence that the link has brought, at least: what comes directly is not seen here, but told. Where the job
   * drafts, those of the newest frame, drafts among them.
   */
  rows: number;
  /** Rows before this one came from a sender that was replaced since. */
  from: number;
  /** Rows up to here passed through the coordinator since the link has its epoch. */
  passed: number;
  /** Where the job drafts: what the link has brought of rows whose tokens are not chosen yet. */
  ahead?: Ahead;
  /** Frames of a job that drafts all go through the coordinator: neighbours tell direct frames apart by their rows. */
  direct?: true;
  /** Its predecessor was replaced, and it was asked how many rows it has. */
  asked?: true;
  /** When the row that it has now was sent to it, where one at a time goes through here. */
  sinceMs?: number;
  /** How long it took for its newest row, and when that was known. */
  turn?: Pace;
  /** The holder is lost: the stage waits for another, and the job fails with this where there is none. */
  vacant?: WireError;
}

export const NEW_LINK = { epoch: 0, rows: 0, from: 0, passed: 0 };

export interface Job {
  id: string;
  request: string;
  requester: string;
  model: string;
  stages: JobStage[];
  wire: RoomView['wire'];
  /** Of the marks, where the job drafts (shared/node/drafts). */
  draftKey?: string;
  /** The mark of the newest token's row, where there is one. */
  due?: number;
  vocabSize: number;
  eosTokens: readonly number[];
  sampling: FromNode['generate']['sampling'];
  maxNewTokens: number;
  prompt: readonly number[];
  /** Tokens handed to the requester so far. */
  answer: readonly number[];
  /** Tokens before this one were chosen by a last stage that was replaced since. */
  answerFrom: number;
  startedMs: number;
  /** When the last token came; at first, when the job began. */
  tokenMs: number;
  deadlineMs: number;
  /** Stages that were replaced so far; the newest epoch. */
  epoch: number;
  /** Nodes that were replaced: what they still say crossed that on its way. */
  former: ReadonlySet<string>;
  /** Assignments that could not compute this job. */
  unable: ReadonlySet<string>;
  /** The answer stands still because a node was lost, until the token `resumesAt`, the first that needs its replacement. */
  pause?: { sinceMs: number; resumesAt: number };
  /** The answer is complete, and ends when it has been checked. */
  done?: { reason: 'stop' | 'length'; latencyMs: number };
  /** What the requester has of an earlier attempt, as long as this one has not said otherwise. */
  shown?: readonly number[];
  /** How often it was begun anew. */
  redone: number;
  /** How often somebody held it up. */
  stalls: number;
  /** Somebody holds it up, and its stages were asked how far they are. */
  asking?: true;
}

export interface Jobs {
  running: ReadonlyMap<string, Job>;
  /** `requester/request` of everything that was accepted, and ids of jobs that ended; bounded. */
  remembered: ReadonlySet<string>;
  /** Of holders. */
  paces: Paces;
  /** By assignment: jobs in a row that it could not compute. */
  failures: ReadonlyMap<string, number>;
}

export const NO_JOBS: Jobs = { running: new Map(), remembered: new Set(), paces: new Map(), failures: new Map() };

export type JobEvent =
  | { kind: 'generate'; from: string; body: FromNode['generate']; room: RoomView | undefined }
  | { kind: 'frame'; from: string; body: FromNode['frame'] }
  | { kind: 'token'; from: string; body: FromNode['token'] }
  | { kind: 'jobFailed'; from: string; body: FromNode['jobFailed'] }
  | { kind: 'more'; from: string; body: FromNode['more'] }
  | { kind: 'jobRows'; from: string; body: FromNode['jobRows'] }
  | { kind: 'cancel'; from: string; body: FromNode['cancel'] }
  /** The session of a node is over: nobody waits for its requests any more. */
  | { kind: 'gone'; node: string }
  /** The holder of this assignment can't go on with it. */
  | { kind: 'lost'; assignment: string }
  /** Who holds the model now: stages that lost their holder get another, or there is none and the job fails. */
  | { kind: 'mend'; model: string; room: RoomView }
  /** The checks of a complete answer are through. */
  | { kind: 'verified'; job: string }
  /** Answers that are not to be relied on begin anew: these, and all that these nodes took part in. */
  | { kind: 'redo'; model: string; jobs: ReadonlySet<string>; nodes: ReadonlySet<string>; room: RoomView }
  | { kind: 'tick' };

type Sent =
  | 'jobOpen'
  | 'jobNext'
  | 'jobPrevious'
  | 'jobRows'
  | 'jobClose'
  | 'frame'
  | 'more'
  | 'accepted'
  | 'token'
  | 'rewind'
  | 'finished'
  | 'failed';

export type JobEffect =
  | { [T in Sent]: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] } }[Sent]
  /** A message that breaks a rule of the job; its sender is told. */
  | { kind: 'refuse'; to: string; about: JobEvent['kind']; error: AiloError }
  /** The node holds answers up, or computes none: others are asked for a while. */
  | { kind: 'unreliable'; job: Job; node: string }
  /** The node said what no honest one can have to say: the answer is to be begun anew without it. */
  | { kind: 'misbehaved'; job: Job; node: string }
  /** The answer goes on after nodes were lost. */
  | { kind: 'resumed'; job: Job; pausedMs: number }
  /** Complete, to be checked: `verified` or `redo` follows. */
  | { kind: 'answered'; job: Job }
  /** To be paid. */
  | { kind: 'completed'; job: Job; reason: 'stop' | 'length'; latencyMs: number };

export interface JobContext {
  nowMs: number;
  newId(): string;
  /** Complete answers wait to be checked. */
  checks?: boolean;
}

/** The place of a node among the stages that it computes now, or -1. */
export function stageOf(job: Job, node: string): number {
  return job.stages.findIndex((stage) => stage.node === node && !stage.vacant);
}

/**
 * Rows that the link into a stage has brought for good. Where a job drafts, those from the newest token's row on may have
 * been drafts: the answer tells that all before were right, because the last stage has computed them.
 */
export function firmRows({ draftKey, prompt, answer, stages }: Job, stage: number): number {
  const { rows } = stages[stage]!;
  // Only tokens that were chosen come to the first stage.
  if (draftKey === undefined || stage === 0) return rows;
  return Math.min(rows, prompt.length + Math.max(0, answer.length - 1));
}

/** Rows that passed through every stage. The last token was not fed back. */
export function rowsOf({ prompt, answer }: Job): number {
  return prompt.length + answer.length - 1;
}

/** Whether a frame may go from the holder of one stage to that of another without the coordinator. */
export function isDirect(a: JobStage, b: JobStage): boolean {
  return Boolean(a.direct && b.direct && !a.vacant && !b.vacant && a.node !== b.node);
}

/** Whether a stage waits for a holder. */
export function hasVacancy(job: Job): boolean {
  return job.stages.some(({ vacant }) => vacant);
}

/** How many jobs pass through each assignment. */
export function loads(jobs: Jobs): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { stages } of jobs.running.values()) {
    for (const { assignment, vacant } of stages) {
      if (!vacant) counts.set(assignment, (counts.get(assignment) ?? 0) + 1);
    }
  }
  return counts;
}

export function requestKey(requester: string, request: string): string {
  return `${requester}/${request}`;
}

export function send<T extends Sent>(to: string, type: T, body: FromCoordinator[T]): JobEffect {
  return { kind: 'send', to, type, body } as JobEffect;
}
