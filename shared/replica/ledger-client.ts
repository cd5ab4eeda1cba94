/**
 * A wallet's life on the ledger: it opens the replica as soon as the coordinator can be reached, follows the log, cosigns
 * what it verified, takes the name that the person wished for, and tells what changed.
 */
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import type { Seal } from '../ledger/checkpoint.ts';
import { reconnectDelayMs } from '../node/backoff.ts';
import type { Log } from '../node/log.ts';
import { createApi } from '../protocol/api.ts';
import type { Schedule } from '../protocol/schedule.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { COSIGN_SPREAD_MS } from './limits.ts';
import { createSubmit } from './submitter.ts';
import type { Replica, ReplicaState } from './types.ts';
import { createCosign, createWalletService } from './wallet-service.ts';
import type { WalletAccount, WalletService } from './wallet-types.ts';

export interface LedgerClientOptions {
  /** Rejects while the coordinator cannot be reached; tried again. */
  openReplica(signal: AbortSignal): Promise<Replica>;
  wallet: Wallet;
  /** The coordinator. */
  url: string;
  fetch: typeof fetch;
  /** Claimed once the ledger is verified; absent keeps what the wallet has. */
  username?: string;
  schedule: Schedule;
  /** Unix time. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  log: Log;
}

/** Plain data, replaced on each change. */
export interface LedgerClientState {
  /** Absent until the replica is open. */
  replica?: ReplicaState;
  /** Absent until something was verified. */
  account?: WalletAccount;
  /** Why the wallet does not have the name it wished for. */
  usernameError?: WireError;
  /** Why the replica cannot be opened. */
  error?: WireError;
}

export interface LedgerClient {
  readonly state: LedgerClientState;
  /** Undefined until the replica is open. */
  readonly replica: Replica | undefined;
  readonly service: WalletService | undefined;
  subscribe(listener: (state: LedgerClientState) => void): () => void;
  /** A checkpoint was heard of; nothing about it was checked. */
  follow(seal: Seal): void;
  /** Stops following and closes the replica. */
  close(): Promise<void>;
}

export function createLedgerClient(options: LedgerClientOptions): LedgerClient {
  const { schedule, log, random } = options;
  const listeners = new Set<(state: LedgerClientState) => void>();
  const submit = createSubmit({ api: createApi(options), schedule });
  const cancel = new AbortController();
  let state: LedgerClientState = {};
  let opened: { replica: Replica; service: WalletService } | undefined;
  let heard: Seal | undefined;
  let wished = options.username;
  let cancelTimer = () => {};
  /** What follows a verified checkpoint, one after the other. Never rejects. */
  let work: Promise<void> = Promise.resolve();

  /** `undefined` takes a part away. */
  function update(change: { [K in keyof LedgerClientState]: LedgerClientState[K] | undefined }): void {
    const next = Object.entries({ ...state, ...change }).filter(([, value]) => value !== undefined);
    state = Object.fromEntries(next);
    for (const listener of [...listeners]) listener(state);
  }

  function then(next: () => Promise<void>): void {
    work = work.then(async () => {
      if (!cancel.signal.aborted) await next().catch(note);
    });
  }

  function note(thrown: unknown): void {
    const { code, cause, message } = toAiloError(thrown);
    if (!cancel.signal.aborted) log.warn({ code, cause }, message);
  }

  async function open(attempt: number): Promise<void> {
    let replica: Replica;
    try {
      replica = await options.openReplica(cancel.signal);
    } catch (thrown) {
      if (cancel.signal.aborted) return;
      update({ error: toAiloError(thrown).toWire() });
      cancelTimer = schedule(() => void open(attempt + 1), reconnectDelayMs(attempt, random()));
      return;
    }
    if (cancel.signal.aborted) return replica.close();
    begin(replica);
  }

  function begin(replica: Replica): void {
    const parts = { ...options, replica, submit };
    const cosign = createCosign(parts);
    const service = createWalletService({ ...parts, cosign });
    opened = { replica, service };
    let seen = -1;
    let voting = false;
    const look = (next: ReplicaState) => {
      update({ replica: next, error: undefined });
      if (next.status !== 'verified' || next.size === seen) return;
      seen = next.size;
      then(async () => update({ account: await service.account() }));
      then(() => claim(service));
      if (voting) return;
      voting = true;
      cancelTimer = schedule(() => {
        voting = false;
        then(cosign);
      }, random() * COSIGN_SPREAD_MS);
    };
    replica.subscribe(look);
    look(replica.state);
    if (heard) replica.follow(heard);
    // What keeps it from it is in the replica's state.
    replica.sync(cancel.signal).catch(() => {});
  }

  async function claim(service: WalletService): Promise<void> {
    const name = wished;
    if (name === undefined) return;
    wished = undefined;
    try {
      await service.register(name);
      update({ usernameError: undefined, account: await service.account() });
    } catch (thrown) {
      const error = toAiloError(thrown);
      // What nobody answered is tried again with the next checkpoint; what was refused the person must change.
      if (error.code === 'UNREACHABLE' || error.code === 'RATE_LIMITED') wished = name;
      update({ usernameError: error.toWire() });
    }
  }

  const opening = open(0).catch(note);

  return {
    get state() {
      return state;
    },
    get replica() {
      return opened?.replica;
    },
    get service() {
      return opened?.service;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    follow(seal) {
      heard = seal;
      opened?.replica.follow(seal);
    },
    async close() {
      cancel.abort(AiloError.of('CANCELLED', {}));
      cancelTimer();
      listeners.clear();
      await opening;
      await work;
      await opened?.replica.close();
    },
  };
}
