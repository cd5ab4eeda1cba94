/** The ledger's tables. Blobs are the canonical bytes of shared/ledger, so that no second encoding can drift from it. */
import { type Kysely, sql } from 'kysely';

export interface LedgerTables {
  /** The log. Rows from `ledger_head.size` on are staged: they exist for nobody until the checkpoint moved over them. */
  ledger_entry: { position: number; bytes: Uint8Array };
  /** One row, the newest checkpoint: whoever moves it by compare-and-swap has decided what the log is. */
  ledger_head: {
    slot: 1;
    size: number;
    checkpoint: Uint8Array;
    signature: Uint8Array;
    /** The checkpoint that the staged rows lead to; whoever staged last is the only one who can swap. */
    staged: Uint8Array | null;
  };
  /** One row: how much of the log the tables below contain. Readers see the log as far as this. */
  ledger_published: {
    slot: 1;
    size: number;
    /** The checkpoint of this size. */
    checkpoint: Uint8Array;
    signature: Uint8Array;
    /** The state's totals there. */
    totals: Uint8Array;
  };
  /** The root over each full tile: proofs are made of these, and the log's tree is opened from them. */
  ledger_tile: { index: number; root: Uint8Array };
  /** `position`: order of first appearance. Beside the consensus record stands what only the summary shows. */
  ledger_account: {
    position: number;
    address: string;
    /** For looking up whose it is. Within a batch it may pass from one to another, so that the index is not unique. */
    username: string | null;
    record: Uint8Array;
    earned_total: string;
    /** UTC day (days since 1970) of the newest reward, and what was earned on it. */
    earned_day: number;
    earned_on_day: string;
    transactions: number;
  };
  /** `position`: order of appearance among transfers; `entry`: its place in the log. */
  ledger_transfer: { position: number; entry: number; record: Uint8Array };
  /** `position`: order of appearance among disputes; `hash`: of the transfer. */
  ledger_dispute: { position: number; hash: string; record: Uint8Array };
  /** By SHA-256 of what was signed (a transaction, registration, cosignature or report): where in the log it stands. */
  ledger_signed: { hash: Uint8Array; position: number };
  /** Whose histories a transaction stands in; `account`: the position of the account. */
  ledger_party: { account: number; position: number };
  /** `job`: or the work unit, for a training receipt. */
  ledger_receipt: { hash: string; job: string; position: number };
}

/** Migration 001. */
export async function createLedgerTables(db: Kysely<unknown>): Promise<void> {
  const blob = sql`blob`;
  await db.schema
    .createTable('ledger_entry')
    .addColumn('position', 'integer', (c) => c.primaryKey())
    .addColumn('bytes', blob, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_head')
    .addColumn('slot', 'integer', (c) => c.primaryKey().check(sql`slot = 1`))
    .addColumn('size', 'integer', (c) => c.notNull())
    .addColumn('checkpoint', blob, (c) => c.notNull())
    .addColumn('signature', blob, (c) => c.notNull())
    .addColumn('staged', blob)
    .execute();
  await db.schema
    .createTable('ledger_published')
    .addColumn('slot', 'integer', (c) => c.primaryKey().check(sql`slot = 1`))
    .addColumn('size', 'integer', (c) => c.notNull())
    .addColumn('checkpoint', blob, (c) => c.notNull())
    .addColumn('signature', blob, (c) => c.notNull())
    .addColumn('totals', blob, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_tile')
    .addColumn('index', 'integer', (c) => c.primaryKey())
    .addColumn('root', blob, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_account')
    .addColumn('position', 'integer', (c) => c.primaryKey())
    .addColumn('address', 'text', (c) => c.notNull().unique())
    .addColumn('username', 'text')
    .addColumn('record', blob, (c) => c.notNull())
    .addColumn('earned_total', 'text', (c) => c.notNull())
    .addColumn('earned_day', 'integer', (c) => c.notNull())
    .addColumn('earned_on_day', 'text', (c) => c.notNull())
    .addColumn('transactions', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createIndex('ledger_account_username')
    .on('ledger_account')
    .column('username')
    .where('username', 'is not', null)
    .execute();
  await db.schema
    .createTable('ledger_transfer')
    .addColumn('position', 'integer', (c) => c.primaryKey())
    .addColumn('entry', 'integer', (c) => c.notNull().unique())
    .addColumn('record', blob, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_dispute')
    .addColumn('position', 'integer', (c) => c.primaryKey())
    .addColumn('hash', 'text', (c) => c.notNull().unique())
    .addColumn('record', blob, (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_signed')
    .addColumn('hash', blob, (c) => c.primaryKey())
    .addColumn('position', 'integer', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('ledger_party')
    .addColumn('account', 'integer', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addPrimaryKeyConstraint('ledger_party_key', ['account', 'position'])
    .execute();
  await db.schema
    .createTable('ledger_receipt')
    .addColumn('hash', 'text', (c) => c.primaryKey())
    .addColumn('job', 'text', (c) => c.notNull().unique())
    .addColumn('position', 'integer', (c) => c.notNull())
    .execute();
}
