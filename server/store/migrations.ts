/** All migrations in the order they are applied; one that was released is never edited, only followed. */
import type { Migration } from 'kysely';
import { createHonestyTables } from '../coordinator/honesty/tables.ts';
import { createLedgerTables } from '../ledger/tables.ts';

/** Kysely applies them by the alphabetical order of their names, so each begins with its number. */
export const migrations: Record<string, Migration> = {
  '001-ledger': { up: createLedgerTables },
  '002-honesty': { up: createHonestyTables },
};
