/** The replica as it is used: follows checkpoints one after the other, tries again after errors, answers questions. */
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import { decodeCheckpoint, openSeal, type Seal } from '../ledger/checkpoint.ts';
import type { Network } from '../ledger/network.ts';
import type { Account, Totals } from '../ledger/records.ts';
import { reconnectDelayMs } from '../node/backoff.ts';
import type { Log } from '../node/log.ts';
import type { Schedule } from '../protocol/schedule.ts';
import type { Verifier } from '../wallet/verifier.ts';
import { Heard } from './heard.ts';
import { cosignable, historyPage, transactionByHash } from './known.ts';
import type { Pace } from './replay.ts';
import type { LedgerSource } from './source.ts';
import type { ReplicaStore } from './store.ts';
import type { Evidence, HistoryPage, KnownTransaction, Replica, ReplicaState } from './types.ts';
import { VerifiedLedger } from './verified-ledger.ts';

export interface FollowerOptions {
  network: Network;
  source: LedgerSource;
  store: ReplicaStore;
  verifier: Verifier;
  publicKey: Uint8Array;
  now(): number;
  schedule: Schedule;
  random(): number;
  log: Log;
  pace: Pace;
}

interface Waiter {
  resolve(): void;
  reject(error: AiloError): void;
}

export class Follower implements Replica {
  readonly network: Network;
  readonly #options: FollowerOptions;
  readonly #ledger: VerifiedLedger;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<(state: ReplicaState) => void>();
  readonly #heard = new Heard();
  /** Of `sync`. */
  readonly #waiters = new Set<Waiter>();
  /** How often the coordinator was to be asked for its newest checkpoint, and up to which time it was. */
  #asks = 0;
  #answered = 0;
  #state: ReplicaState = { status: 'starting', size: 0, target: 0 };
  #working: Promise<void> | undefined;
  /** Ends the pause before the next attempt. */
  #wake = () => {};

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.network = options.network;
    this.#ledger = new VerifiedLedger({
      ...options,
      signal: this.#closing.signal,
      onProgress: () => this.#refresh({}),
      onCorrupt: (err) => options.log.warn({ err }, 'the stored ledger cannot be used and is replayed anew'),
    });
    this.#work();
  }

  get state(): ReplicaState {
    return this.#state;
  }

  subscribe(listener: (state: ReplicaState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  follow(seal: Seal): void {
    try {
      this.#hear(seal);
    } catch (error) {
      this.#options.log.debug({ err: error }, 'a checkpoint that is not the network’s was ignored');
      return;
    }
    this.#work();
  }

  sync(signal?: AbortSignal): Promise<void> {
    if (this.#state.evidence) return Promise.reject(AiloError.fromWire(this.#state.evidence.reason));
    if (this.#closing.signal.aborted || signal?.aborted) return Promise.reject(AiloError.of('CANCELLED', {}));
    return new Promise((resolve, reject) => {
      const cancel = () => settle(() => reject(AiloError.of('CANCELLED', {}, signal?.reason)));
      const settle = (answer: () => void) => {
        signal?.removeEventListener('abort', cancel);
        this.#waiters.delete(waiter);
        answer();
      };
      const waiter: Waiter = {
        resolve: () => settle(resolve),
        reject: (error) => settle(() => reject(error)),
      };
      signal?.addEventListener('abort', cancel);
      this.#waiters.add(waiter);
      this.#asks++;
      this.#wake();
      this.#work();
    });
  }

  async totals(): Promise<Totals> {
    return (await this.#ledger.open()).tip.state.totals;
  }

  async account(publicKey: Uint8Array): Promise<Account | undefined> {
    return (await this.#ledger.open()).tip.state.account(publicKey);
  }

  async ownerOf(username: string): Promise<Account | undefined> {
    return (await this.#ledger.open()).tip.state.ownerOf(username);
  }

  async history(page: { before?: number; limit: number }): Promise<HistoryPage> {
    return historyPage(await this.#ledger.open(), page);
  }

  async transaction(hash: Uint8Array): Promise<KnownTransaction | undefined> {
    return transactionByHash(await this.#ledger.open(), hash);
  }

  async cosignable(publicKey: Uint8Array, nowMs: number) {
    const copy = await this.#ledger.open();
    // Only what is verified to its end may be vouched for, and nothing after a contradiction.
    const { verified, base } = copy.head;
    if (!verified || this.#state.evidence || copy.tip.log.size !== base.size) return undefined;
    return cosignable(copy, this.network, publicKey, nowMs);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#working;
    this.#fail(AiloError.of('CANCELLED', {}));
    await this.#options.store.close();
  }

  /** Throws what keeps it from being a checkpoint of this network. */
  #hear(seal: Seal): void {
    this.#heard.add({ seal, checkpoint: openSeal(seal, this.network) });
  }

  #work(): void {
    if (this.#working || !this.#hasWork()) return;
    this.#working = this.#run();
  }

  #hasWork(): boolean {
    if (this.#closing.signal.aborted || this.#state.evidence) return false;
    return this.#state.status === 'starting' || this.#answered < this.#asks || !this.#heard.isEmpty;
  }

  /** Goes on until nothing is left to be done. Never rejects. */
  async #run(): Promise<void> {
    for (let attempt = 0; this.#hasWork(); ) {
      try {
        await this.#step();
        attempt = 0;
      } catch (thrown) {
        if (this.#closing.signal.aborted) break;
        const error = toAiloError(thrown);
        if (error.code === 'INTERNAL') this.#options.log.warn({ err: thrown }, 'the ledger could not be followed');
        this.#refresh({ error: error.toWire() });
        this.#fail(error);
        await this.#pause(reconnectDelayMs(attempt++, this.#options.random()));
      }
    }
    // Whoever asks from here on begins another run: nothing is awaited in between.
    this.#working = undefined;
    const { evidence } = this.#state;
    if (evidence) this.#fail(AiloError.fromWire(evidence.reason));
    else if (!this.#closing.signal.aborted) for (const waiter of this.#waiters) waiter.resolve();
  }

  async #step(): Promise<void> {
    if (this.#state.status === 'starting') {
      await this.#ledger.open();
      this.#refresh({ evidence: await this.#ledger.evidence() });
      return;
    }
    if (this.#answered < this.#asks) {
      const asks = this.#asks;
      this.#hearNewest(await this.#options.source.checkpoint(this.#closing.signal));
      this.#answered = asks;
    }
    this.#refresh({});
    const target = this.#heard.next();
    if (!target) return;
    const evidence = await this.#ledger.judge(target);
    this.#heard.delete(target);
    this.#refresh({ evidence });
  }

  #hearNewest(seal: Seal): void {
    try {
      this.#hear(seal);
    } catch (error) {
      const isOther = error instanceof AiloError && error.code === 'NETWORK_MISMATCH';
      throw isOther ? AiloError.of('LEDGER_OTHER_NETWORK', {}, error) : error;
    }
  }

  /** Shows what is so now. */
  #refresh(news: { error?: WireError; evidence?: Evidence | undefined }): void {
    const copy = this.#ledger.current;
    const { evidence = this.#state.evidence } = news;
    const { verified, base } = copy?.head ?? {};
    const size = copy?.tip.log.size ?? this.#state.size;
    const isVerified = verified !== undefined && size === base?.size && this.#heard.isEmpty;
    const status = evidence ? 'contradicted' : isVerified ? 'verified' : 'verifying';
    this.#state = {
      status,
      size,
      target: Math.max(size, this.#heard.size),
      ...(verified && { entryTimeMs: decodeCheckpoint(verified.seal.bytes).timeMs, verifiedMs: verified.verifiedMs }),
      ...(evidence && { evidence }),
      ...(news.error && { error: news.error }),
    };
    for (const listener of this.#listeners) listener(this.#state);
  }

  #fail(error: AiloError): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }

  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#options.schedule(resolve, delayMs);
      this.#wake = () => {
        cancel();
        resolve();
      };
    });
  }
}
