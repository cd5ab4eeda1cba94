/**
 * The ledger in the database. Each method is one database transaction: it happens or it doesn't. The log and its head
 * are the truth; what `publish` writes could be computed from them again.
 */
import type { Batch } from '../../shared/ledger/batch.ts';
import type { Seal } from '../../shared/ledger/checkpoint.ts';
import {
  decodeAccount,
  decodeDispute,
  decodeTotals,
  decodeTransfer,
  encodeTotals,
  type Totals,
} from '../../shared/ledger/records.ts';
import type { Records } from '../../shared/ledger/state.ts';
import type { Database } from '../store/database.ts';
import { ROWS_PER_STATEMENT } from './limits.ts';
import { publishBatch } from './publish.ts';
import { slices } from './slices.ts';

export interface Head {
  size: number;
  seal: Seal;
  /** Checkpoint bytes of a batch that was staged and not sealed. */
  staged: Uint8Array | undefined;
}

/** What readers see: how much of the log, sealed by which checkpoint. */
export interface Published {
  size: number;
  seal: Seal;
}

const SLOT = 1 as const;

export class LedgerStore {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  async head(): Promise<Head | undefined> {
    const row = await this.#db.selectFrom('ledger_head').selectAll().executeTakeFirst();
    return row && { size: row.size, seal: sealOf(row), staged: row.staged ? plain(row.staged) : undefined };
  }

  /** The first checkpoint, of nothing. Where there is one already, nothing changes. */
  async create({ bytes: checkpoint, signature }: Seal, totals: Totals): Promise<void> {
    const empty = { slot: SLOT, size: 0, checkpoint, signature };
    await this.#db.transaction().execute(async (tx) => {
      await tx
        .insertInto('ledger_head')
        .values({ ...empty, staged: null })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
      await tx
        .insertInto('ledger_published')
        .values({ ...empty, totals: encodeTotals(totals) })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    });
  }

  async published(): Promise<Published> {
    const row = await this.#db
      .selectFrom('ledger_published')
      .select(['size', 'checkpoint', 'signature'])
      .executeTakeFirstOrThrow();
    return { size: row.size, seal: sealOf(row) };
  }

  /** The state after the published entries, how many those are, and the roots over the tiles they fill. */
  async load(): Promise<{ size: number; records: Records; tileRoots: Uint8Array[] }> {
    return this.#db.transaction().execute(async (tx) => {
      const row = await tx.selectFrom('ledger_published').selectAll().executeTakeFirstOrThrow();
      const accounts = await tx.selectFrom('ledger_account').select('record').orderBy('position').execute();
      const transfers = await tx.selectFrom('ledger_transfer').select('record').orderBy('position').execute();
      const disputes = await tx.selectFrom('ledger_dispute').select('record').orderBy('position').execute();
      const tiles = await tx.selectFrom('ledger_tile').select('root').orderBy('index').execute();
      return {
        size: row.size,
        tileRoots: tiles.map(({ root }) => plain(root)),
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
      for (const some of slices(rows, ROWS_PER_STATEMENT)) await tx.insertInto('ledger_entry').values(some).execute();
      return true;
    });
  }

  /**
   * The compare-and-swap that decides what the log is. False if the head moved, or somebody else staged since: then
   * the rows beyond the head are not those that this checkpoint seals.
   */
  async swap(batch: Batch, { bytes: checkpoint, signature }: Seal): Promise<boolean> {
    const { numUpdatedRows } = await this.#db
      .updateTable('ledger_head')
      .set({ size: batch.start + batch.entries.length, checkpoint, signature, staged: null })
      .where('size', '=', batch.start)
      .where('staged', '=', checkpoint)
      .executeTakeFirst();
    return numUpdatedRows === 1n;
  }

  /** Brings what readers see up to the batch's end. Does nothing where somebody has done so already. */
  async publish(batch: Batch, { bytes: checkpoint, signature }: Seal): Promise<void> {
    const { state, log } = batch.tip;
    await this.#db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('ledger_published')
        .set({ size: log.size, checkpoint, signature, totals: encodeTotals(state.totals) })
        .where('size', '=', batch.start)
        .executeTakeFirst();
      if (numUpdatedRows === 1n) await publishBatch(tx, batch);
    });
  }
}

function sealOf({ checkpoint, signature }: { checkpoint: Uint8Array; signature: Uint8Array }): Seal {
  return { bytes: plain(checkpoint), signature: plain(signature) };
}

/** better-sqlite3 gives Buffers, which differ from the Uint8Array they extend where it hurts (slice, equality). */
function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}
