/** The coordinator's ledger, put together: the sequencer writes, the reader reads what was published. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Batch } from '../../shared/ledger/batch.ts';
import { decodeCheckpoint } from '../../shared/ledger/checkpoint.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { encodeTile } from '../../shared/ledger/tile.ts';
import { type Schedule, systemSchedule } from '../../shared/protocol/schedule.ts';
import { createVerifier } from '../../shared/wallet/verifier.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import type { Database } from '../store/database.ts';
import { type CommitPoint, Committer } from './committer.ts';
import { inferenceReceipt } from './inference.ts';
import { MAX_BACKLOG, MAX_PAGE_ENTRIES, MAX_VERIFYING } from './limits.ts';
import { LogProofs } from './log-proofs.ts';
import { concerned } from './parties.ts';
import { LedgerReader } from './reader.ts';
import { bookReceipt, isReceiptOf, receiptIn, type Unnumbered, workOfReceipt } from './receipts.ts';
import { bookReversals, createReversals } from './reversals.ts';
import { type Booking, Sequencer } from './sequencer.ts';
import { LedgerStore } from './store.ts';
import { bookSubmission, decodeSubmission, verifySubmission } from './submissions.ts';
import { trainingReceipt } from './training.ts';
import { readTransaction } from './transaction-reader.ts';
import type { Ledger, MintOutcome } from './types.ts';

export interface LedgerOptions {
  database: Database;
  /** The key that the genesis file names. */
  networkKey: SigningKey;
  genesis: Genesis;
  /** Unix time in ms. */
  now(): number;
  /**
   * Addresses of the nodes that have been heard of within the genesis' `heartbeatMs`: of them are those who decide a
   * dispute. May throw an AiloError, which refuses the report that asked.
   */
  presentNodes?: () => Iterable<string>;
  /** For the time of reversals; the system's, if none is given. */
  schedule?: Schedule;
  /** Told of each failure to write, of which bookings are only told the sentence, and of listeners that throw. */
  onFailure?: (error: unknown) => void;
  /** For tests: stops the sequencer after each step of a commit. */
  stall?: (point: CommitPoint) => void | Promise<void>;
  /** For tests: a store that fails. */
  store?: LedgerStore;
}

const UNPAID = new Set(['RECEIPT_TOO_SHORT', 'RECEIPT_OVER_QUOTA', 'RECEIPT_NOBODY_TO_PAY']);

/** Opens the ledger and finishes what an earlier process left. Throws LEDGER_OTHER_NETWORK and LEDGER_CORRUPT. */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { database, networkKey, genesis, now, onFailure, presentNodes = () => [] } = options;
  const store = options.store ?? new LedgerStore(database);
  const reader = new LedgerReader(database, genesis);
  const proofs = new LogProofs(database, store);
  const verifier = createVerifier({ inFlight: MAX_VERIFYING });
  const listeners = new Set<(addresses: ReadonlySet<string>) => void>();
  const network = networkOf(genesis);

  function onPublished(batch: Batch): void {
    const addresses = concerned(batch);
    for (const listener of listeners) {
      // A listener's mistake is not the ledger's failure: what it is told of has been booked.
      try {
        listener(addresses);
      } catch (error) {
        onFailure?.(error);
      }
    }
  }

  const committer = new Committer({ store, network, networkKey, stall: options.stall, onPublished });
  const reversals = createReversals({
    genesis,
    now,
    schedule: options.schedule ?? systemSchedule,
    reverse: () => sequencer.submit((batch) => bookReversals(batch, networkKey, now())),
    onFailure,
  });
  const sequencer = new Sequencer({ committer, network, onFailure, onState: reversals.watch });
  await sequencer.open();

  /** Books the receipt unless its work was booked before. Returns the receipt's place in the log. */
  async function bookWork(batch: Batch, receipt: Unnumbered): Promise<number> {
    const work = workOfReceipt(receipt);
    const staged = batch.receiptOf(work);
    const position = staged ?? (await reader.receiptOfWork(work));
    if (position === undefined) return bookReceipt(batch, networkKey, receipt, now());
    const bytes = staged === undefined ? await reader.entry(position) : batch.entries[position - batch.start]!.bytes;
    if (!isReceiptOf(receipt, receiptIn(bytes))) throw AiloError.of('RECEIPT_CONFLICT', { job: work });
    return position;
  }

  async function mint(receipt: Unnumbered): Promise<MintOutcome> {
    try {
      const position = await bookOnce((batch) => bookWork(batch, receipt));
      return { transactions: await reader.rewardsOf(position, now()) };
    } catch (error) {
      if (error instanceof AiloError && UNPAID.has(error.code)) return { transactions: [], unpaid: error };
      throw error;
    }
  }

  /** A second try is safe for what is booked once at most, and finds out what became of the first. */
  function bookOnce<T>(booking: Booking<T>): Promise<T> {
    return sequencer
      .submit(booking)
      .catch((error) => (isFailure(error) ? sequencer.submit(booking) : Promise.reject(error)));
  }

  let verifying = 0;
  const isKnown = (publicKey: Uint8Array) => sequencer.state?.account(publicKey) !== undefined;
  const placeOfSigned = (hash: Uint8Array) => reader.placeOfSigned(hash);

  return {
    async submit(kind, signed, admit) {
      const submitted = decodeSubmission(kind, signed);
      if (verifying + sequencer.backlog >= MAX_BACKLOG) throw AiloError.of('LEDGER_BUSY', { limit: MAX_BACKLOG });
      verifying++;
      const signer = await verifySubmission(submitted, verifier, isKnown).finally(() => verifying--);
      admit?.(signer);
      const index = await bookOnce((batch) =>
        bookSubmission(batch, submitted, { nowMs: now(), presentNodes, placeOfSigned }),
      );
      return { index };
    },
    mintInference: async (result) => mint({ kind: 'receipt', receipt: inferenceReceipt(result) }),
    mintTraining: async (result) => mint({ kind: 'training-receipt', receipt: trainingReceipt(result) }),
    account: (address) => reader.account(address, now()),
    usernameOf: (address) => reader.usernameOf(address),
    ownerOf: (username) => reader.ownerOf(username),
    transactions: (address, page) => reader.transactions(address, page, now()),
    transaction: (hash) => readTransaction({ database, genesis, store, reader, proofs }, hash, now()),
    receipt: (hash) => reader.receipt(hash),
    async checkpoint() {
      const { seal } = await store.published();
      return { checkpoint: decodeCheckpoint(seal.bytes), seal };
    },
    async tile(index, width) {
      const start = index * TILE_ENTRIES;
      const { size } = await store.published();
      return start + width > size ? undefined : encodeTile(await store.entries(start, start + width));
    },
    async consistency(from, to) {
      const { size } = await store.published();
      return to > size ? undefined : proofs.consistency(from, to);
    },
    async entries(start, end) {
      const { size } = await store.published();
      return store.entries(start, Math.min(end, size, start + MAX_PAGE_ENTRIES));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      reversals.close();
      await sequencer.close();
    },
  };
}

function isFailure(error: unknown): boolean {
  return error instanceof AiloError && error.code === 'LEDGER_FAILED';
}
