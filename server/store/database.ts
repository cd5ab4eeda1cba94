/** The coordinator's one database: opened and migrated here, its tables owned by the parts that use them. */
import Sqlite from 'better-sqlite3';
import { Kysely, Migrator, SqliteDialect } from 'kysely';
import { AiloError } from '../../shared/errors/index.ts';
import type { CampaignTables } from '../campaigns/tables.ts';
import type { HonestyTables } from '../coordinator/honesty/tables.ts';
import type { LedgerTables } from '../ledger/tables.ts';
import { migrations } from './migrations.ts';

/** Each part adds the interface of its tables here and its migrations to migrations.ts. */
export interface Tables extends LedgerTables, CampaignTables, HonestyTables {}

export type Database = Kysely<Tables>;

/**
 * Opens the database, creating it and bringing its tables up to date.
 *
 * A commit is on the disk when it returns (`synchronous=FULL`): what the ledger acknowledged must survive a power cut.
 * Throws DATABASE_UNUSABLE. The caller ends with `database.destroy()`.
 *
 * @param path of the file, or `:memory:`
 */
export async function openDatabase(path: string): Promise<Database> {
  let sqlite: Sqlite.Database | undefined;
  try {
    sqlite = new Sqlite(path);
    sqlite.pragma('journal_mode = WAL');
    sqlite.pragma('synchronous = FULL');
    sqlite.pragma('foreign_keys = ON');
    const database: Database = new Kysely({ dialect: new SqliteDialect({ database: sqlite }) });
    await migrate(database);
    return database;
  } catch (error) {
    sqlite?.close();
    throw AiloError.of(
      'DATABASE_UNUSABLE',
      { path, reason: error instanceof Error ? error.message : 'unknown' },
      error,
    );
  }
}

async function migrate(database: Database): Promise<void> {
  const migrator = new Migrator({ db: database, provider: { getMigrations: async () => migrations } });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw error;
}
