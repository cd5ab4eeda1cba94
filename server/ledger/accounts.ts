/** The accounts' rows: the consensus record, and beside it the sums that a wallet is shown. */
import type { Transaction as DatabaseTransaction } from 'kysely';
import type { Batch } from '../../shared/ledger/batch.ts';
import { encodeAccount } from '../../shared/ledger/records.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import type { Tables } from '../store/database.ts';
import { partiesOf } from './parties.ts';

const DAY_MS = 86_400_000;

/** What a wallet earned, and when last. Amounts are µALC. */
export interface Earnings {
  total: bigint;
  /** Days since 1970, UTC, of the newest reward. */
  day: number;
  onDay: bigint;
  transactions: number;
}

const NONE: Earnings = { total: 0n, day: 0, onDay: 0n, transactions: 0 };

export function utcDay(timeMs: number): number {
  return Math.floor(timeMs / DAY_MS);
}

/** Earnings with one more reward. Rewards come in the order of their time. */
export function addReward(before: Earnings, amountMicroAlc: bigint, timeMs: number): Earnings {
  const day = utcDay(timeMs);
  return {
    ...before,
    total: before.total + amountMicroAlc,
    day,
    onDay: (day === before.day ? before.onDay : 0n) + amountMicroAlc,
  };
}

export async function publishAccounts(tx: DatabaseTransaction<Tables>, batch: Batch): Promise<void> {
  const earnings = new Map<string, Earnings>();
  for (const account of batch.changed.accounts.values()) {
    const address = encodeAddress(account.publicKey);
    earnings.set(address, await readEarnings(tx, address));
  }
  for (const [address, sums] of sumsOf(batch, earnings)) earnings.set(address, sums);
  for (const [position, account] of batch.changed.accounts) {
    const address = encodeAddress(account.publicKey);
    const { total, day, onDay, transactions } = earnings.get(address) ?? NONE;
    const changing = {
      record: encodeAccount(account),
      earned_total: String(total),
      earned_day: day,
      earned_on_day: String(onDay),
      transactions,
    };
    await tx
      .insertInto('ledger_account')
      .values({ position, address, ...changing })
      .onConflict((conflict) => conflict.column('position').doUpdateSet(changing))
      .execute();
  }
}

/** The earnings after the batch of everybody who is party to one of its transactions. */
function sumsOf(batch: Batch, before: ReadonlyMap<string, Earnings>): Map<string, Earnings> {
  const after = new Map<string, Earnings>();
  for (const { entry } of batch.entries) {
    if (entry.kind !== 'transaction') continue;
    const { transaction } = entry.signed;
    const { type, amountMicroAlc, timeMs } = transaction;
    const isReward = type === 'inference-reward' || type === 'training-reward';
    for (const address of partiesOf(transaction)) {
      const sums = after.get(address) ?? before.get(address) ?? NONE;
      const earned = isReward ? addReward(sums, amountMicroAlc, timeMs) : sums;
      after.set(address, { ...earned, transactions: sums.transactions + 1 });
    }
  }
  return after;
}

async function readEarnings(tx: DatabaseTransaction<Tables>, address: string): Promise<Earnings> {
  const row = await tx
    .selectFrom('ledger_account')
    .select(['earned_total', 'earned_day', 'earned_on_day', 'transactions'])
    .where('address', '=', address)
    .executeTakeFirst();
  if (!row) return NONE;
  return {
    total: BigInt(row.earned_total),
    day: row.earned_day,
    onDay: BigInt(row.earned_on_day),
    transactions: row.transactions,
  };
}
