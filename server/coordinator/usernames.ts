/** Names of wallets: free, unique, one for each wallet. Who renames gives the old name back. */
import type { Kysely } from 'kysely';
import { AiloError } from '../../shared/errors/index.ts';
import type { Database } from '../store/database.ts';

export interface UsernameTables {
  usernames: { address: string; username: string };
}

export async function createUsernameTables(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('usernames')
    .addColumn('address', 'text', (column) => column.primaryKey())
    .addColumn('username', 'text', (column) => column.notNull().unique())
    .execute();
}

const USERNAME = /^[a-z][a-z0-9_-]{2,19}$/;

/** Gives `username` to the wallet. Throws USERNAME_INVALID, USERNAME_TAKEN. */
export async function claimUsername(database: Database, address: string, username: string): Promise<void> {
  if (!USERNAME.test(username)) throw AiloError.of('USERNAME_INVALID', {});
  await database.transaction().execute(async (transaction) => {
    const owner = await transaction
      .selectFrom('usernames')
      .select('address')
      .where('username', '=', username)
      .executeTakeFirst();
    if (owner && owner.address !== address) throw AiloError.of('USERNAME_TAKEN', { username });
    await transaction
      .insertInto('usernames')
      .values({ address, username })
      .onConflict((conflict) => conflict.column('address').doUpdateSet({ username }))
      .execute();
  });
}

export async function usernameOf(database: Database, address: string): Promise<string | undefined> {
  const row = await database
    .selectFrom('usernames')
    .select('username')
    .where('address', '=', address)
    .executeTakeFirst();
  return row?.username;
}
