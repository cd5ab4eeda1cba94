/**
 * The ledger in the database. Each method is one database transaction: it happens or it doesn't. The log and its head
 * are the truth; what `publish` writes could be computed from them again.
 */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import type { Transaction as DatabaseTransaction } from 'kysely';
import type { Batch } from '../../shared/ledger/batch.ts';
import {
  decodeAccount,
  decodeDispute,
  decodeTotals,
  decodeTransfer,
  encodeDispute,
  encodeTotals,
  encodeTransfer,
  type Totals,
} from '../../shared/ledger/records.ts';
import type { Records } from '../../shared/ledger/state.ts';
import type { Database, Tables } from '../store/database.ts';
import { publishAccounts } from './accounts.ts';
import { ROWS_PER_INSERT } from './limits.ts';
import { partiesOf } from './parties.ts';

export interface Head {
  size: number;
  checkpoint: Uint8Array;
  signature: Uint8Array;
  /** Checkpoint bytes of a batch that was staged and not sealed. */
  staged: Uint8Array | undefined;
}

export interface Published {
  size: number;
  /** `LogTree`'s windowFrontier, its hashes one behind the other. */
  window: { size: number; hashes: Uint8Array };
  records: Records;
}

const SLOT = 1 as const;

export class LedgerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async head(): Promise<Head | undefined> {
    const row = await this.#db.selectFrom('ledger_head').selectAll().executeTakeFirst();
    return (
      row && {
        size: row.size,
        checkpoint: plain(row.checkpoint),
        signature: plain(row.signature),
        staged: row.staged ? plain(row.staged) : undefined,
      }
    );
  }

  /** The first checkpoint, of nothing. Where there is one already, nothing changes. */
  async create(checkpoint: Uint8Array, signature: Uint8Array, totals: Totals): Promise<void> {
    await this.#db.transaction().execute(async (tx) => {
      await tx
        .insertInto('ledger_head')
        .values({ slot: SLOT, size: 0, checkpoint, signature, staged: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await tx
        .insertInto('ledger_published')
        .values({ slot: SLOT, size: 0, totals: encodeTotals(totals), window_size: 0, window_hashes: new Uint8Array() })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  async published(): Promise<Published> {
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx.selectFrom('ledger_published').selectAll().executeTakeFirstOrThrow();
      const accounts = await tx.selectFrom('ledger_account').select('record').orderBy('position').execute();
      const transfers = await tx.selectFrom('ledger_transfer').select('record').orderBy('position').execute();
      const disputes = await tx.selectFrom('ledger_dispute').select('record').orderBy('position').execute();
      return {
        size: row.size,
        window: { size: row.window_size, hashes: plain(row.window_hashes) },
        records: {
          totals: decodeTotals(plain(row.totals)),
          accounts: accounts.map(({ record }) => decodeAccount(plain(record))),
          transfers: transfers.map(({ record }) => decodeTransfer(plain(record))),
          disputes: disputes.map(({ record }) => decodeDispute(plain(record))),
        },
      };
    });
  }

  /** Entries, staged ones too, from `start` up to but without `end`. */
  async entries(start: number, end: number): Promise<Uint8Array[]> {
    const rows = await this.#db
      .selectFrom('ledger_entry')
      .select('bytes')
      .where('position', '>=', start)
      .where('position', '<', end)
      .orderBy('position')
      .execute();
    return rows.map(({ bytes }) => plain(bytes));
  }

  /** Writes entries beyond the head, in the place of any staged before. False if the head is not where they begin. */
  async stage(batch: Batch, checkpoint: Uint8Array): Promise<boolean> {
    return this.#db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('ledger_head')
        .set({ staged: checkpoint })
        .where('size', '=', batch.start)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) return false;
      await tx.deleteFrom('ledger_entry').where('position', '>=', batch.start).execute();
      const rows = batch.entries.map(({ position, bytes }) => ({ position, bytes }));
      for (const some of chunks(rows)) await tx.insertInto('ledger_entry').values(some).execute();
      return true;
    });
  }

  /**
   * The compare-and-swap that decides what the log is. False if the head moved, or somebody else staged since: then
   * the rows beyond the head are not those that this checkpoint seals.
   */
  async swap(batch: Batch, checkpoint: Uint8Array, signature: Uint8Array): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('ledger_head')
      .set({ size: batch.start + batch.entries.length, checkpoint, signature, staged: null })
      .where('size', '=', batch.start)
      .where('staged', '=', checkpoint)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Brings what readers see up to the batch's end. Does nothing where somebody has done so already. */
  async publish(batch: Batch): Promise<void> {
    const { state, log } = batch.tip;
    const { size, hashes } = log.windowFrontier;
    await this.#db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('ledger_published')
        .set({
          size: log.size,
          totals: encodeTotals(state.totals),
          window_size: size,
          window_hashes: concatBytes(...hashes),
        })
        .where('size', '=', batch.start)
        .executeTakeFirst();
      if (numUpdatedRows !== 1n) return;
      await publishAccounts(tx, batch);
      await publishTransfers(tx, batch);
      await publishDisputes(tx, batch);
      await publishIndexes(tx, batch);
    });
  }
}

async function publishTransfers(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  for (const [position, transfer] of batch.changed.transfers) {
    const record = encodeTransfer(transfer);
    await tx
      .insertInto('ledger_transfer')
      .values({ position, hash: bytesToHex(transfer.hash), record })
      .onConflict((conflict) => conflict.column('position').doUpdateSet({ record }))
      .execute();
  }
}

async function publishDisputes(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  for (const [position, dispute] of batch.changed.disputes) {
    const record = encodeDispute(dispute);
    await tx
      .insertInto('ledger_dispute')
      .values({ position, hash: bytesToHex(dispute.transfer), record })
      .onConflict((conflict) => conflict.column('position').doUpdateSet({ record }))
      .execute();
  }
}

async function publishIndexes(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  const transactions: Tables['ledger_transaction'][] = [];
  const parties: Tables['ledger_party'][] = [];
  const receipts: Tables['ledger_receipt'][] = [];
  for (const { position, entry } of batch.entries) {
    if (entry.kind === 'receipt') {
      receipts.push({ hash: bytesToHex(entry.hash), job: bytesToHex(entry.receipt.job), position });
    } else if (entry.kind === 'transaction') {
      transactions.push({ hash: bytesToHex(entry.signed.hash), position });
      for (const address of partiesOf(entry.signed.transaction)) parties.push({ address, position });
    }
  }
  for (const some of chunks(transactions)) await tx.insertInto('ledger_transaction').values(some).execute();
  for (const some of chunks(parties)) await tx.insertInto('ledger_party').values(some).execute();
  for (const some of chunks(receipts)) await tx.insertInto('ledger_receipt').values(some).execute();
}

/** better-sqlite3 gives Buffers, which differ from the Uint8Array they extend where it hurts (slice, equality). */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function chunks<T>(rows: T[]): T[][] {
  const out: T[][] = [];
  for (let at = 0; at < rows.length; at += ROWS_PER_INSERT) out.push(rows.slice(at, at + ROWS_PER_INSERT));
  return out;
}
