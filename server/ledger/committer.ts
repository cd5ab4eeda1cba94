/**
 * A commit moves the log's end over a batch in four steps; what a crash after each means:
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
 * any failure nothing in memory must be believed: recover, then go on.
 */
import { setImmediate } from 'node:timers/promises';
import { AiloError } from '../../shared/errors/index.ts';
import { Batch, checkpointAt, type Tip } from '../../shared/ledger/batch.ts';
import { equalBytes } from '../../shared/ledger/binary.ts';
import {
  type Checkpoint,
  encodeCheckpoint,
  openSeal,
  type Seal,
  sealCheckpoint,
} from '../../shared/ledger/checkpoint.ts';
import { COSIGNATURE_WINDOW, TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import type { Network } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import type { Head, LedgerStore } from './store.ts';

export type CommitPoint = 'begun' | 'staged' | 'signed' | 'swapped' | 'published';

export interface CommitterOptions {
  store: LedgerStore;
  network: Network;
  networkKey: SigningKey;
  /** Tests stop a commit here, before the first step and after each. */
  stall?: ((point: CommitPoint) => void | Promise<void>) | undefined;
  /** After each commit. */
  onPublished(batch: Batch): void;
}

export class Committer {
  readonly #options: CommitterOptions;

  constructor(options: CommitterOptions) {
    this.#options = options;
  }

  /**
   * Makes the batch part of the log. On any error its tip is not to be used again. Between the steps whatever else the
   * process does has its turn, which a large batch would keep waiting.
   */
  async commit(batch: Batch): Promise<void> {
    await this.#stage(batch);
    await setImmediate();
    const seal = await this.#seal(batch);
    await setImmediate();
    await this.#publish(batch, seal);
  }

  /**
   * Where the log ends, after finishing what an earlier commit left. Throws LEDGER_OTHER_NETWORK, LEDGER_CORRUPT, or
   * the database's error.
   */
  async recover(): Promise<Tip> {
    const { store, network } = this.#options;
    const head = (await store.head()) ?? (await this.#create());
    const checkpoint = this.#checkHead(head);
    const tip = await this.#load();
    const unpublished = await this.#reread(tip, tip.log.size, checkpoint.size);
    if (!equalBytes(encodeCheckpoint(checkpointAt(network, tip)), head.seal.bytes)) {
      throw AiloError.of('LEDGER_CORRUPT', { reason: `it does not lead to checkpoint ${checkpoint.size}` });
    }
    if (unpublished.entries.length > 0) await this.#publish(unpublished, head.seal);
    if (head.staged) {
      const staged = await this.#reread(tip, checkpoint.size, Number.MAX_SAFE_INTEGER);
      if (!equalBytes(staged.checkpointBytes(), head.staged)) {
        throw AiloError.of('LEDGER_CORRUPT', { reason: `what was staged after entry ${checkpoint.size} has changed` });
      }
      await this.#publish(staged, await this.#seal(staged));
    }
    return tip;
  }

  async #stage(batch: Batch): Promise<void> {
    if (batch.tip.state.due.length > 0) throw AiloError.of('REWARD_MISSING', {});
    await this.#at('begun');
    if (!(await this.#options.store.stage(batch, batch.checkpointBytes()))) throw overtaken();
    await this.#at('staged');
  }

  async #seal(batch: Batch): Promise<Seal> {
    const { store, network, networkKey } = this.#options;
    const seal = sealCheckpoint(networkKey, checkpointAt(network, batch.tip));
    await this.#at('signed');
    if (!(await store.swap(batch, seal))) throw overtaken();
    await this.#at('swapped');
    return seal;
  }

  async #publish(batch: Batch, seal: Seal): Promise<void> {
    await this.#options.store.publish(batch, seal);
    // What no rule reads any more is read from the database.
    batch.tip.state.forgetFinal(this.#options.network.genesis);
    await this.#at('published');
    this.#options.onPublished(batch);
  }

  /** The stored entries from `start` up to `end`, placed on `tip` again. */
  async #reread(tip: Tip, start: number, end: number): Promise<Batch> {
    const entries = await this.#options.store.entries(start, end);
    const batch = new Batch(this.#options.network, tip);
    try {
      for (const bytes of entries) batch.add(bytes);
    } catch (error) {
      corrupt(error);
    }
    return batch;
  }

  /** The published end of the log. */
  async #load(): Promise<Tip> {
    const { store } = this.#options;
    const { size, records, tileRoots } = await store.load().catch(corrupt);
    const tilesBefore = Math.max(0, Math.floor((size - COSIGNATURE_WINDOW) / TILE_ENTRIES));
    const start = tilesBefore * TILE_ENTRIES;
    const tail = await store.entries(start, size);
    try {
      const log = new LogTree(start, frontierOf(tileRoots.slice(0, tilesBefore)), tail.map(hashLeaf));
      if (log.size !== size) throw AiloError.of('LEDGER_CORRUPT', { reason: `entries before ${size} are missing` });
      checkTiles(log, tileRoots, tilesBefore);
      return { state: new LedgerState(records), log };
    } catch (error) {
      return corrupt(error);
    }
  }

  async #create(): Promise<Head> {
    const { store, network, networkKey } = this.#options;
    const state = LedgerState.empty(network.genesis);
    const seal = sealCheckpoint(networkKey, checkpointAt(network, { state, log: new LogTree() }));
    await store.create(seal, state.totals);
    return { size: 0, seal, staged: undefined };
  }

  #checkHead({ seal }: Head): Checkpoint {
    try {
      return openSeal(seal, this.#options.network);
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

/** What our own formats and rules refuse in what we stored is damage; the database's own errors stay what they are. */
function corrupt(error: unknown): never {
  if (!(error instanceof AiloError) && !(error instanceof RangeError)) throw error;
  throw AiloError.of('LEDGER_CORRUPT', { reason: error.message.replace(/\.$/, '') }, error);
}

function overtaken(): Error {
  return new Error('another sequencer has moved the head of the ledger');
}

/** Over full tiles only, the log's tree is the tree over their roots. */
function frontierOf(tileRoots: readonly Uint8Array[]): readonly Uint8Array[] {
  const range = new CompactRange();
  for (const root of tileRoots) range.append(root);
  return range.hashes;
}

/** The roots before the window are checked by the log's own root. */
function checkTiles(log: LogTree, tileRoots: readonly Uint8Array[], from: number): void {
  const isWrong = (root: Uint8Array, i: number) => !equalBytes(root, log.tileRoot(from + i) ?? new Uint8Array());
  if (tileRoots.length !== Math.floor(log.size / TILE_ENTRIES) || tileRoots.slice(from).some(isWrong)) {
    throw AiloError.of('LEDGER_CORRUPT', { reason: 'the hashes of its pieces are not theirs' });
  }
}
