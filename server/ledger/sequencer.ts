/**
 * The sequencer: the one place where the log grows. Bookings that wait are gathered into a batch, which takes four
 * steps; what a crash after each means:
 *
 * 1. stage: the entries are in the database, beyond the head. Nobody sees them. Opening finds them and goes on at 2.
 * 2. sign: the same, the signature was only in memory (Ed25519 gives the same one again).
 * 3. swap: the head moved over the entries: they are the log, whatever happens now. Opening goes on at 4.
 * 4. publish: readers see them, bookings are answered. Nothing is left to do.
 *
 * Recovery is not code of its own: it reads the entries back from the database and gives them to the steps that are
 * missing. (Dropping what was staged would be simpler, but work that was done would go unpaid for a restart.)
 *
 * Another sequencer on the same database can only make a step fail, never fork the log: steps 1 and 3 compare. After
 * any failure nothing in memory is believed: the next batch begins by recovering.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { equalBytes, HASH_BYTES } from '../../shared/ledger/binary.ts';
import { encodeCheckpoint, openSeal, sealCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { CompactRange } from '../../shared/ledger/merkle.ts';
import type { Network } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import { Batch, checkpointAt, type Tip } from './batch.ts';
import { MAX_BACKLOG, MAX_BATCH_BOOKINGS } from './limits.ts';
import { partiesOf } from './parties.ts';
import type { Head, LedgerStore } from './store.ts';

export type CommitPoint = 'begun' | 'staged' | 'signed' | 'swapped' | 'published';

/** Adds the entries of one booking. An AiloError thrown before it added any refuses this booking alone. */
export type Booking<T> = (batch: Batch) => T | Promise<T>;

export interface SequencerOptions {
  store: LedgerStore;
  network: Network;
  networkKey: SigningKey;
  now(): number;
  /** Tests stop the sequencer here, after each step. */
  stall?: ((point: CommitPoint) => void | Promise<void>) | undefined;
  /** After each commit: the addresses whose account or history changed. */
  onPublished(addresses: ReadonlySet<string>): void;
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
        this.#tip ??= await this.#recover();
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
    if (batch.entries.length > 0) {
      await this.#stage(batch);
      await this.#seal(batch);
      await this.#publish(batch);
    }
    for (const answer of booked) answer();
  }

  async #stage(batch: Batch): Promise<void> {
    if (batch.tip.state.due.length > 0) throw AiloError.of('REWARD_MISSING', {});
    await this.#at('begun');
    if (!(await this.#options.store.stage(batch, batch.checkpointBytes()))) throw overtaken();
    await this.#at('staged');
  }

  async #seal(batch: Batch): Promise<void> {
    const { store, network, networkKey } = this.#options;
    const seal = sealCheckpoint(networkKey, checkpointAt(network, batch.tip));
    await this.#at('signed');
    if (!(await store.swap(batch, seal.bytes, seal.signature))) throw overtaken();
    await this.#at('swapped');
  }

  async #publish(batch: Batch): Promise<void> {
    await this.#options.store.publish(batch);
    await this.#at('published');
    const addresses = new Set<string>();
    for (const { entry } of batch.entries) {
      if (entry.kind === 'transaction') for (const one of partiesOf(entry.signed.transaction)) addresses.add(one);
    }
    this.#options.onPublished(addresses);
  }

  async #recover(): Promise<Tip> {
    const { store, network } = this.#options;
    const head = (await store.head()) ?? (await this.#create());
    const checkpoint = this.#checkHead(head);
    const published = await store.published();
    const tip = {
      state: new LedgerState(published.totals, published.accounts, published.transfers),
      range: new CompactRange(published.size, split(published.frontier)),
    };
    const unpublished = await this.#reread(tip, published.size, checkpoint.size);
    if (!equalBytes(encodeCheckpoint(checkpointAt(network, tip)), head.checkpoint)) {
      throw AiloError.of('LEDGER_CORRUPT', { reason: `it does not lead to checkpoint ${checkpoint.size}` });
    }
    if (unpublished.entries.length > 0) await this.#publish(unpublished);
    if (head.staged) {
      const staged = await this.#reread(tip, checkpoint.size, Number.MAX_SAFE_INTEGER);
      if (!equalBytes(staged.checkpointBytes(), head.staged)) {
        throw AiloError.of('LEDGER_CORRUPT', { reason: `what was staged after entry ${checkpoint.size} has changed` });
      }
      await this.#seal(staged);
      await this.#publish(staged);
    }
    return tip;
  }

  /** The stored entries from `start` up to `end`, placed on `tip` again. */
  async #reread(tip: Tip, start: number, end: number): Promise<Batch> {
    const batch = new Batch(this.#options.network, tip);
    for (const bytes of await this.#options.store.entries(start, end)) batch.add(bytes);
    return batch;
  }

  async #create(): Promise<Head> {
    const { store, network, networkKey } = this.#options;
    const state = LedgerState.empty(network.genesis);
    const seal = sealCheckpoint(networkKey, checkpointAt(network, { state, range: new CompactRange() }));
    await store.create(seal.bytes, seal.signature, state.totals);
    return { size: 0, checkpoint: seal.bytes, signature: seal.signature, staged: undefined };
  }

  #checkHead(head: Head) {
    const { network } = this.#options;
    try {
      return openSeal({ bytes: head.checkpoint, signature: head.signature }, network);
    } catch (error) {
      const other = error instanceof AiloError && error.code === 'NETWORK_MISMATCH';
      throw other
        ? AiloError.of('LEDGER_OTHER_NETWORK', {}, error)
        : AiloError.of('LEDGER_CORRUPT', { reason: 'its newest checkpoint is not signed by the network’s key' }, error);
    }
  }

  async #at(point: CommitPoint): Promise<void> {
    await this.#options.stall?.(point);
  }
}

function overtaken(): Error {
  return new Error('another sequencer has moved the head of the ledger');
}

function split(frontier: Uint8Array): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  for (let at = 0; at < frontier.length; at += HASH_BYTES) hashes.push(frontier.slice(at, at + HASH_BYTES));
  return hashes;
}
