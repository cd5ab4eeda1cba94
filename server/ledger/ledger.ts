/** The coordinator's ledger, put together: the sequencer writes, the reader reads what was published. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Batch } from '../../shared/ledger/batch.ts';
import { decodeCheckpoint } from '../../shared/ledger/checkpoint.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import type { InferenceReceipt } from '../../shared/ledger/receipt.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import type { Database } from '../store/database.ts';
import { type CommitPoint, Committer } from './committer.ts';
import { bookInference, isReceiptOf, receiptIn, receiptOf } from './inference.ts';
import { MAX_PAGE_ENTRIES } from './limits.ts';
import { LedgerReader } from './reader.ts';
import { Sequencer } from './sequencer.ts';
import { LedgerStore } from './store.ts';
import type { Ledger, MintOutcome } from './types.ts';

export interface LedgerOptions {
  database: Database;
  /** The key that the genesis file names. */
  networkKey: SigningKey;
  genesis: Genesis;
  /** Unix time in ms. */
  now(): number;
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
  const { database, networkKey, now } = options;
  const store = options.store ?? new LedgerStore(database);
  const reader = new LedgerReader(database);
  const listeners = new Set<(addresses: ReadonlySet<string>) => void>();
  const network = networkOf(options.genesis);
  const committer = new Committer({
    store,
    network,
    networkKey,
    stall: options.stall,
    onPublished: (addresses) => {
      for (const listener of listeners) {
        // A listener's mistake is not the ledger's failure: what it is told of has been booked.
        try {
          listener(addresses);
        } catch (error) {
          options.onFailure?.(error);
        }
      }
    },
  });
  const sequencer = new Sequencer({ committer, network, onFailure: options.onFailure });
  await sequencer.open();

  /** Books the receipt unless its job was booked before. Returns the receipt's place in the log. */
  async function book(batch: Batch, job: string, receipt: InferenceReceipt): Promise<number> {
    const staged = batch.receiptOf(job);
    const position = staged ?? (await reader.receiptOfJob(job));
    if (position === undefined) return bookInference(batch, networkKey, receipt, now());
    const bytes = staged === undefined ? await reader.entry(position) : batch.entries[position - batch.start]!.bytes;
    if (!isReceiptOf(receipt, receiptIn(bytes).receipt)) throw AiloError.of('RECEIPT_CONFLICT', { job });
    return position;
  }

  async function head() {
    const row = await store.head();
    if (!row) throw AiloError.of('LEDGER_CORRUPT', { reason: 'it has no checkpoint' });
    return row;
  }

  return {
    async mintInference(result): Promise<MintOutcome> {
      const receipt = receiptOf(result);
      const submit = () => sequencer.submit((batch) => book(batch, result.job, receipt));
      try {
        // A second try is safe, since a job is booked once, and finds out what became of the first.
        const position = await submit().catch((error) => (isFailure(error) ? submit() : Promise.reject(error)));
        return { transactions: await reader.rewardsOf(position) };
      } catch (error) {
        if (error instanceof AiloError && UNPAID.has(error.code)) return { transactions: [], unpaid: error };
        throw error;
      }
    },
    account: (address) => reader.account(address, now()),
    transactions: (address, page) => reader.transactions(address, page),
    receipt: (hash) => reader.receipt(hash),
    async checkpoint() {
      const { checkpoint, signature } = await head();
      return { checkpoint: decodeCheckpoint(checkpoint), seal: { bytes: checkpoint, signature } };
    },
    async entries(start, end) {
      const { size } = await head();
      return store.entries(start, Math.min(end, size, start + MAX_PAGE_ENTRIES));
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    close: () => sequencer.close(),
  };
}

function isFailure(error: unknown): boolean {
  return error instanceof AiloError && error.code === 'LEDGER_FAILED';
}
