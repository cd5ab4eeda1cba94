/**
 * A wallet's life on the ledger, put together over its replica: it follows the log, cosigns what it verified, takes the
 * name that the person wished for, and tells what changed.
 */
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
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
  replica: Replica;
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

export interface LedgerClientState {
  replica: ReplicaState;
  /** Absent until something was verified. */
  account?: WalletAccount;
  /** Why the wallet does not have the name it wished for. */
  usernameError?: WireError;
}

export interface LedgerClient {
  readonly state: LedgerClientState;
  readonly service: WalletService;
  subscribe(listener: (state: LedgerClientState) => void): () => void;
  /** Stops following and closes the replica. */
  close(): Promise<void>;
}

export function createLedgerClient(options: LedgerClientOptions): LedgerClient {
  const { replica, schedule, log, username } = options;
  const listeners = new Set<(state: LedgerClientState) => void>();
  const submit = createSubmit({ api: createApi(options), schedule });
  const cosign = createCosign({ ...options, submit });
  const service = createWalletService({ ...options, submit, cosign });
  let state: LedgerClientState = { replica: replica.state };
  let closed = false;
  let wished = username;
  let cancelVote: (() => void) | undefined;
  /** What follows a verified checkpoint, one after the other. Never rejects. */
  let work: Promise<void> = Promise.resolve();

  function update(change: Partial<LedgerClientState>): void {
    state = { ...state, ...change };
    for (const listener of [...listeners]) listener(state);
  }

  const then = (next: () => Promise<void>) => {
    work = work.then(async () => {
      if (closed) return;
      await next().catch((thrown) => {
        const error = toAiloError(thrown);
        log.warn({ code: error.code, cause: error.cause }, error.message);
      });
    });
  };

  async function refresh(): Promise<void> {
    update({ account: await service.account() });
  }

  async function claim(): Promise<void> {
    const name = wished;
    if (name === undefined) return;
    wished = undefined;
    try {
      await service.register(name);
    } catch (thrown) {
      const error = toAiloError(thrown);
      // What nobody answered is tried again with the next checkpoint; what was refused the person must change.
      if (error.code === 'UNREACHABLE' || error.code === 'RATE_LIMITED') wished = name;
      update({ usernameError: error.toWire() });
      return;
    }
    const { usernameError: _, ...rest } = state;
    state = rest;
    await refresh();
  }

  let seen = -1;
  const unsubscribe = replica.subscribe((next) => {
    update({ replica: next });
    if (next.status !== 'verified' || next.size === seen) return;
    seen = next.size;
    then(refresh);
    then(claim);
    cancelVote ??= schedule(() => {
      cancelVote = undefined;
      then(cosign);
    }, options.random() * COSIGN_SPREAD_MS);
  });
  replica.sync().catch((thrown) => {
    if (!(thrown instanceof AiloError)) log.warn({ cause: thrown }, 'the ledger could not be followed');
  });

  return {
    get state() {
      return state;
    },
    service,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      closed = true;
      unsubscribe();
      cancelVote?.();
      await work;
      await replica.close();
    },
  };
}
