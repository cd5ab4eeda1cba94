/** All migrations in the order they are applied; one that was released is never edited, only followed. */
import type { Migration } from 'kysely';
import { createCampaignTables } from '../campaigns/tables.ts';
import { createHonestyTables } from '../coordinator/honesty/tables.ts';
import { createLedgerTables } from '../ledger/tables.ts';

/** Kysely applies them by the alphabetical order of their names, so each begins with its number. */
export const migrations: Record<string, Migration> = {
  '001-ledger': { up: createLedgerTables },
  '002-campaigns': { up: createCampaignTables },
  '003-honesty': { up: createHonestyTables },
};
