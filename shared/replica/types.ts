/**
 * A replica: this device's own copy of the ledger, downloaded as tiles and replayed from genesis, so that what a wallet
 * shows was verified here and not believed.
 */
import type { WireError } from '../errors/index.ts';
import type { Seal } from '../ledger/checkpoint.ts';
import type { Network } from '../ledger/network.ts';
import type { Account, Dispute, Totals, Transfer } from '../ledger/records.ts';
import type { SignedTransaction } from '../ledger/transaction.ts';

/** Two things that the network's key signed and that cannot both be true, or one that breaks a rule. */
export interface Evidence {
  kind: /** Two checkpoints of one size with different roots or states. */
    | 'fork'
    /** A newer checkpoint whose log does not begin with the older one's. */
    | 'rewrite'
    /** A sealed entry that breaks a rule. */
    | 'rule'
    /** The entries lead to another state than the checkpoint says. */
    | 'state';
  /** What was verified here before, if it takes part. */
  older?: Seal;
  newer: Seal;
  /** The first entry that differs, or that breaks the rule. */
  index?: number;
  /** The entry as it was when it was verified here, and as it is served now. */
  entry?: { before?: Uint8Array; now: Uint8Array };
  /** Why, as a sentence. */
  reason: WireError;
  /** When it was noticed, Unix time. */
  noticedMs: number;
}

export interface ReplicaState {
  /**
   * `starting`: reading what was stored; `verifying`: replaying; `verified`: up to the newest checkpoint heard of;
   * `contradicted`: there is evidence, and nothing after it is believed.
   */
  status: 'starting' | 'verifying' | 'verified' | 'contradicted';
  /** Entries verified here; the log's blocks are numbered by it. */
  size: number;
  /** Entries of the newest checkpoint heard of: progress is size / target. */
  target: number;
  /** The time of the last verified entry, and when it was verified here. Unix time; absent before the first. */
  entryTimeMs?: number;
  verifiedMs?: number;
  evidence?: Evidence;
  /** Why it does not go on at the moment (LEDGER_UNREACHABLE, say); tried again by itself. */
  error?: WireError;
}

/** A transaction as the replica knows it. */
export interface KnownTransaction {
  index: number;
  /** When it was placed in the log. */
  timeMs: number;
  signed: SignedTransaction;
  /** Only of transfers. */
  transfer?: Transfer;
  /** Addresses of the verifiers, in their order. */
  verifiers: string[];
  dispute?: Dispute;
  /** Who reported it and why, in their order. */
  reports: { address: string; reason: string; timeMs: number }[];
}

export interface HistoryPage {
  transactions: KnownTransaction[];
  /** Pass as `before` for the next page. */
  next?: number;
}

export interface Replica {
  readonly network: Network;
  readonly state: ReplicaState;
  subscribe(listener: (state: ReplicaState) => void): () => void;
  /** A checkpoint was heard of: fetch and replay up to it, soon. What was not signed by the network is ignored. */
  follow(seal: Seal): void;
  /** Asks the coordinator for its newest checkpoint and resolves when everything up to it is verified. Rejects with why not. */
  sync(signal?: AbortSignal): Promise<void>;
  totals(): Promise<Totals>;
  /** By public key. Undefined for a wallet that the ledger has not seen. */
  account(publicKey: Uint8Array): Promise<Account | undefined>;
  ownerOf(username: string): Promise<Account | undefined>;
  /** The wallet's transactions, newest first. The replica is told at its making whose histories it keeps. */
  history(page: { before?: number; limit: number }): Promise<HistoryPage>;
  transaction(hash: Uint8Array): Promise<KnownTransaction | undefined>;
  /**
   * What a cosignature of the wallet would say and verify now: the verified size and root, and the hashes of the
   * transfers that it would count for. Undefined where it would not count: nothing waits, or the wallet is not eligible.
   */
  cosignable(
    publicKey: Uint8Array,
    nowMs: number,
  ): Promise<{ size: number; root: Uint8Array; transfers: Uint8Array[] } | undefined>;
  /** Stops what is under way; what was verified stays stored. */
  close(): Promise<void>;
}
