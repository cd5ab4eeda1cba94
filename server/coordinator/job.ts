/** What a running inference is, and what is said of it; jobs.ts decides. */
import type { AiloError } from '../../shared/errors/index.ts';
import type { UnitRange } from '../../shared/graph/types.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';

/** What a request needs to know of the room that is to answer it. */
export interface RoomView {
  contextLength: number;
  vocabSize: number;
  maxSequences: number;
  wire: FromCoordinator['jobOpen']['wire'];
  /** In order; the room answers when there is at least one and all are ready. */
  stages: (JobStage & { ready: boolean })[];
  /** For the sentence, while there are no stages yet. */
  plannedStages: number;
}

/** A stage as it was when the job began. */
export interface JobStage extends UnitRange {
  node: string;
  assignment: string;
}

export interface Job {
  id: string;
  request: string;
  requester: string;
  model: string;
  stages: JobStage[];
  vocabSize: number;
  maxNewTokens: number;
  /** Tokens handed to the requester so far. */
  tokens: number;
  startedMs: number;
  deadlineMs: number;
}

export interface Jobs {
  running: ReadonlyMap<string, Job>;
  /** `requester/request` of everything that was accepted, and ids of jobs that ended; bounded. */
  remembered: ReadonlySet<string>;
}

export const NO_JOBS: Jobs = { running: new Map(), remembered: new Set() };

export type JobEvent =
  | { kind: 'generate'; from: string; body: FromNode['generate']; room: RoomView | undefined }
  | { kind: 'frame'; from: string; body: FromNode['frame'] }
  | { kind: 'token'; from: string; body: FromNode['token'] }
  | { kind: 'jobFailed'; from: string; body: FromNode['jobFailed'] }
  | { kind: 'cancel'; from: string; body: FromNode['cancel'] }
  /** The session of a node is over: nobody waits for its requests any more. */
  | { kind: 'gone'; node: string }
  /** The holder of this assignment can't go on with it. */
  | { kind: 'lost'; assignment: string }
  | { kind: 'tick' };

type Sent = 'jobOpen' | 'jobClose' | 'frame' | 'accepted' | 'token' | 'finished' | 'failed';

export type JobEffect =
  | { [T in Sent]: { kind: 'send'; to: string; type: T; body: FromCoordinator[T] } }[Sent]
  /** A message that breaks a rule of the job; its sender is told. */
  | { kind: 'refuse'; to: string; about: JobEvent['kind']; error: AiloError }
  /** To be paid. */
  | { kind: 'completed'; job: Job; reason: 'stop' | 'length'; latencyMs: number };

export interface JobContext {
  nowMs: number;
  newId(): string;
}

/** The place of a node among the stages, or -1. */
export function stageOf(job: Job, node: string): number {
  return job.stages.findIndex((stage) => stage.node === node);
}

export function requestKey(requester: string, request: string): string {
  return `${requester}/${request}`;
}

export function send<T extends Sent>(to: string, type: T, body: FromCoordinator[T]): JobEffect {
  return { kind: 'send', to, type, body } as JobEffect;
}
