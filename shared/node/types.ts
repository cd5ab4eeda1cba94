/** The contributing node as its hosts see it: what it is given, what it shows, what it can be asked. */
import type { WireError } from '../errors/index.ts';
import type { ChatMessage } from '../model/types.ts';
import type { AccountSummary, ModelListing } from '../protocol/messages.ts';
import type { Sampling } from '../sampler/types.ts';
import type { CampaignMode } from '../train/campaign/modes.ts';
import type { DraftCount } from './drafts/front.ts';

/** Everything a popup or a log line can show. Plain data, replaced (never mutated) on each change. */
export interface NodeState {
  connection: 'stopped' | 'connecting' | 'connected' | 'refused';
  /** Why it is refused, or the last thing that went wrong. */
  error?: WireError;
  address: string;
  username?: string;
  /** Whether the person switched contributing on. */
  contributing: boolean;
  activity: Activity;
  training: Training;
  models: ModelListing[];
  /** To the neighbours in the jobs that run here, where they could be linked directly. */
  links?: LinkStatus[];
  /** Absent until the coordinator told it. */
  account?: AccountSummary;
}

export interface LinkStatus {
  /** The neighbour's address. */
  node: string;
  way: 'direct' | 'relayed';
  /** To it and back this way, smoothed; absent until measured. */
  roundTripMs?: number;
}

export type Activity =
  | { kind: 'off' }
  /** Contributing, but no stage was assigned yet. */
  | { kind: 'waiting' }
  | { kind: 'measuring' }
  | {
      kind: 'loading';
      model: string;
      stage: number;
      stages: number;
      loadedBytes: number;
      totalBytes: number;
      /** At the speed so far; absent while that is not known. */
      remainingMs?: number;
    }
  | ({ kind: 'ready'; model: string; stage: number; stages: number; start: number; end: number } & Done)
  /** In the middle of `jobs` answers; `steps` counts the steps (prefill chunks and tokens) of the newest. */
  | ({ kind: 'working'; model: string; stage: number; stages: number; jobs: number; steps: number } & Done);

interface Done {
  jobsDone: number;
  /** Tokens that this stage ran ahead of answers, and those of them that were right. */
  drafts?: DraftCount;
}

export type Training =
  /** With the reason where it was wished for, but cannot be. */
  | { kind: 'off'; error?: WireError }
  /** For a unit, or for the others of the round; `weights` (SHA-256, hex) are those that are here. */
  | { kind: 'waiting'; campaign?: string; weights?: string }
  | { kind: 'preparing'; campaign: string; round: number }
  /** `step` of `steps` of a round of `rounds`, both from 0; the loss of the step before, in nats per token. */
  | { kind: 'learning'; campaign: string; round: number; rounds: number; step: number; steps: number; loss?: number }
  | { kind: 'sending'; campaign: string; round: number; rounds: number; steps: number; bytes: number };

export interface ChatRequest {
  model: string;
  messages: ChatMessage[];
  maxNewTokens: number;
  sampling: Sampling;
}

export type ChatEvent =
  | { kind: 'accepted'; participants: string[]; promptTokens: number }
  /** `text` may be empty while a character is incomplete. `logits`-free: ids are what the network agreed on. */
  | {
      kind: 'token';
      index: number;
      token: number;
      text: string;
      /** A node was lost before this token, and another took over after so long. */
      pausedMs?: number;
    }
  /** What nodes answered from token `index` on was wrong and is computed anew; `text` is what stays of the answer. */
  | { kind: 'rewound'; index: number; text: string }
  /** `text` is the whole answer; `latencyMs` is the coordinator's figure, which the rewards follow. */
  | { kind: 'finished'; reason: 'stop' | 'length'; text: string; tokens: number; latencyMs: number };

export interface AiloNode {
  readonly state: NodeState;
  subscribe(listener: (state: NodeState) => void): () => void;
  /** Connects and stays connected until `stop`; never throws for a network that is down. */
  start(): void;
  stop(): Promise<void>;
  contribute(on: boolean): void;
  /**
   * Trains in a campaign, or in any (true), until told false; `public` unless told to learn from the texts of this device.
   * Needs an engine for training (NodeOptions).
   */
  train(wanted: string | boolean, mode?: CampaignMode): void;
  /**
   * Asks the network and streams its answer; stops asking when `signal` fires or the reader leaves. Goes on over dropped
   * sockets. Rejects with an AiloError (MODEL_NOT_READY, PROMPT_TOO_LONG, CANCELLED, STAGE_LOST, SESSION_LOST, …).
   */
  chat(request: ChatRequest, signal?: AbortSignal): AsyncGenerator<ChatEvent, void, void>;
}
