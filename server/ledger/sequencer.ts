/**
 * The sequencer: the one place where the log grows. Bookings that wait are gathered into a batch, which is committed
 * as a whole.
 */
import { setImmediate } from 'node:timers/promises';
import { AiloError } from '../../shared/errors/index.ts';
import { Batch, type Tip } from '../../shared/ledger/batch.ts';
import type { Network } from '../../shared/ledger/network.ts';
import type { LedgerState, StateView } from '../../shared/ledger/state.ts';
import type { Committer } from './committer.ts';
import { BOOKINGS_PER_TURN, MAX_BACKLOG, MAX_BATCH_BOOKINGS, MAX_BATCH_ENTRIES } from './limits.ts';

/** Adds the entries of one booking. An AiloError thrown before it added any refuses this booking alone. */
export type Booking<T> = (batch: Batch) => T | Promise<T>;

export interface SequencerOptions {
  committer: Committer;
  network: Network;
  /** Told of the state at the log's end after opening and whenever the log has grown. */
  onState?: ((state: LedgerState) => void) | undefined;
  /** Told of failures that bookings are only told the sentence of. */
  onFailure?: ((error: unknown) => void) | undefined;
}

interface Waiting {
  book: Booking<unknown>;
  resolve(value: unknown): void;
  reject(error: AiloError): void;
}

export class Sequencer {
  readonly #options: SequencerOptions;
  /** Bounded by MAX_BACKLOG; only `#drain` takes from it. */
  readonly #waiting: Waiting[] = [];
  /** Where the log ends. Owned by `#drain`; undefined when what is in memory must not be believed. */
  #tip: Tip | undefined;
  /** The drain in progress. */
  #draining: Promise<void> | undefined;
  #closed = false;

  constructor(options: SequencerOptions) {
    this.#options = options;
  }

  /** Recovers what an earlier process left. Throws LEDGER_OTHER_NETWORK, LEDGER_CORRUPT, or the database's error. */
  async open(): Promise<void> {
    this.#tip = await this.#recover();
  }

  /**
   * Where the log is about to end, for those who need a hint: it may be ahead of what is sealed, and is not there while
   * it must be recovered.
   */
  get state(): StateView | undefined {
    return this.#tip?.state;
  }

  /** Bookings that wait for their turn. */
  get backlog(): number {
    return this.#waiting.length;
  }

  /** Resolves with what `book` returned once its entries are published. See `Ledger.mintInference` for rejections. */
  submit<T>(book: Booking<T>): Promise<T> {
    if (this.#closed) return Promise.reject(AiloError.of('LEDGER_CLOSED', {}));
    if (this.#waiting.length >= MAX_BACKLOG) return Promise.reject(AiloError.of('LEDGER_BUSY', { limit: MAX_BACKLOG }));
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ book, resolve: resolve as (value: unknown) => void, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Finishes what waits and takes no more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // Whatever has arrived shares a commit; and however much there is, others get their turn in between.
      await setImmediate();
      /** Those of the batch; a failure is told to all of them, and to the next if there is no batch yet. */
      const taken: Waiting[] = [];
      try {
        this.#tip ??= await this.#recover();
        await this.#process(this.#tip, taken);
      } catch (error) {
        this.#tip = undefined;
        this.#options.onFailure?.(error);
        if (taken.length === 0) taken.push(...this.#waiting.splice(0, MAX_BATCH_BOOKINGS));
        for (const { reject } of taken) reject(AiloError.of('LEDGER_FAILED', {}, error));
      }
    }
    this.#draining = undefined;
  }

  async #process(tip: Tip, taken: Waiting[]): Promise<void> {
    const batch = new Batch(this.#options.network, tip);
    const booked: (() => void)[] = [];
    while (taken.length < MAX_BATCH_BOOKINGS && batch.entries.length < MAX_BATCH_ENTRIES) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (taken.push(next) % BOOKINGS_PER_TURN === 0) await setImmediate();
      const { book, resolve, reject } = next;
      const before = batch.entries.length;
      try {
        const value = await book(batch);
        booked.push(() => resolve(value));
      } catch (error) {
        if (!(error instanceof AiloError) || batch.entries.length !== before) throw error;
        reject(error);
      }
    }
    if (batch.entries.length > 0) {
      await this.#options.committer.commit(batch);
      this.#options.onState?.(tip.state);
    }
    for (const answer of booked) answer();
  }

  async #recover(): Promise<Tip> {
    const tip = await this.#options.committer.recover();
    this.#options.onState?.(tip.state);
    return tip;
  }
}
