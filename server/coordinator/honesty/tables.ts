/** The table of what is known of wallets' honesty. */
import type { Kysely } from 'kysely';

export interface HonestyTables {
  /** `disputed_with`: addresses, separated by blanks. */
  node_trust: { address: string; passes: number; strikes: number; banned_until_ms: number; disputed_with: string };
}

export async function createHonestyTables(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('node_trust')
    .addColumn('address', 'text', (c) => c.primaryKey())
    .addColumn('passes', 'integer', (c) => c.notNull())
    .addColumn('strikes', 'integer', (c) => c.notNull())
    .addColumn('banned_until_ms', 'integer', (c) => c.notNull())
    .addColumn('disputed_with', 'text', (c) => c.notNull())
    .execute();
}
