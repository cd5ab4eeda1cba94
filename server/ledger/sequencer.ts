/**
 * The sequencer: the one place where the log grows. Bookings that wait are gathered into a batch, which is committed
 * as a whole.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { Batch, type Tip } from '../../shared/ledger/batch.ts';
import type { Network } from '../../shared/ledger/network.ts';
import type { Committer } from './committer.ts';
import { MAX_BACKLOG, MAX_BATCH_BOOKINGS } from './limits.ts';

/** Adds the entries of one booking. An AiloError thrown before it added any refuses this booking alone. */
export type Booking<T> = (batch: Batch) => T | Promise<T>;

export interface SequencerOptions {
  committer: Committer;
  network: Network;
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
    this.#tip = await this.#options.committer.recover();
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
    // Bookings that are submitted in the same turn share a commit.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const bookings = this.#waiting.splice(0, MAX_BATCH_BOOKINGS);
      try {
        this.#tip ??= await this.#options.committer.recover();
        await this.#process(this.#tip, bookings);
      } catch (error) {
        this.#tip = undefined;
        this.#options.onFailure?.(error);
        for (const { reject } of bookings) reject(AiloError.of('LEDGER_FAILED', {}, error));
      }
    }
    this.#draining = undefined;
  }

  async #process(tip: Tip, bookings: Waiting[]): Promise<void> {
    const batch = new Batch(this.#options.network, tip);
    const booked: (() => void)[] = [];
    for (const { book, resolve, reject } of bookings) {
      const before = batch.entries.length;
      try {
        const value = await book(batch);
        booked.push(() => resolve(value));
      } catch (error) {
        if (!(error instanceof AiloError) || batch.entries.length !== before) throw error;
        reject(error);
      }
    }
    if (batch.entries.length > 0) await this.#options.committer.commit(batch);
    for (const answer of booked) answer();
  }
}
