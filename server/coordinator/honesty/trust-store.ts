/** Trust of all wallets: in memory, and in the database so that a restart forgets nothing. */
import type { Logger } from 'pino';
import type { Database } from '../../store/database.ts';
import { type Trust, UNKNOWN } from './trust.ts';

export interface TrustStore {
  of(node: string): Trust;
  update(node: string, change: (trust: Trust) => Trust): void;
  /** When all that was changed so far is stored. */
  stored(): Promise<void>;
}

export function memoryTrust(
  known: ReadonlyMap<string, Trust> = new Map(),
  save?: (node: string, trust: Trust) => Promise<void>,
): TrustStore {
  const trusts = new Map(known);
  let saving: Promise<void> = Promise.resolve();
  return {
    of: (node) => trusts.get(node) ?? UNKNOWN,
    update(node, change) {
      const trust = change(trusts.get(node) ?? UNKNOWN);
      trusts.set(node, trust);
      if (save) saving = saving.then(() => save(node, trust));
    },
    stored: () => saving,
  };
}

export async function openTrust(database: Database, log: Logger): Promise<TrustStore> {
  const rows = await database.selectFrom('node_trust').selectAll().execute();
  const known = new Map(
    rows.map(({ address, passes, strikes, banned_until_ms: bannedUntilMs, disputed_with: others }) => [
      address,
      { passes, strikes, bannedUntilMs, disputedWith: others === '' ? [] : others.split(' ') },
    ]),
  );
  return memoryTrust(known, async (address, { passes, strikes, bannedUntilMs, disputedWith }) => {
    const row = { passes, strikes, banned_until_ms: bannedUntilMs, disputed_with: disputedWith.join(' ') };
    try {
      await database
        .insertInto('node_trust')
        .values({ address, ...row })
        .onConflict((conflict) => conflict.column('address').doUpdateSet(row))
        .execute();
    } catch (err) {
      // It is known in memory until the next start; the next change tries again.
      log.error({ err }, 'the trust of a wallet could not be stored');
    }
  });
}
