/** The accounts' rows: the consensus record, and beside it the sums that a wallet is shown. */
import type { Transaction as DatabaseTransaction } from 'kysely';
import type { Batch } from '../../shared/ledger/batch.ts';
import { encodeAccount } from '../../shared/ledger/records.ts';
import type { Tables } from '../store/database.ts';
import { addressOf } from './addresses.ts';
import { ROWS_PER_STATEMENT } from './limits.ts';
import { partiesOf } from './parties.ts';
import { slices } from './slices.ts';

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
  const { accounts } = batch.changed;
  const earnings = addSums(batch, await readEarnings(tx, [...accounts.keys()]));
  const rows = [...accounts].map(([position, account]) => {
    const { total, day, onDay, transactions } = earnings.get(position) ?? NONE;
    return {
      position,
      address: addressOf(account.publicKey),
      username: account.username || null,
      record: encodeAccount(account),
      earned_total: String(total),
      earned_day: day,
      earned_on_day: String(onDay),
      transactions,
    };
  });
  for (const some of slices(rows, ROWS_PER_STATEMENT)) {
    await tx
      .insertInto('ledger_account')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('position').doUpdateSet(({ ref }) => ({
          username: ref('excluded.username'),
          record: ref('excluded.record'),
          earned_total: ref('excluded.earned_total'),
          earned_day: ref('excluded.earned_day'),
          earned_on_day: ref('excluded.earned_on_day'),
          transactions: ref('excluded.transactions'),
        })),
      )
      .execute();
  }
}

/** Adds what the batch brings to those who are party to one of its transactions. By position. */
function addSums(batch: Batch, earnings: Map<number, Earnings>): Map<number, Earnings> {
  for (const { entry } of batch.entries) {
    if (entry.kind !== 'transaction') continue;
    const { transaction } = entry.signed;
    const { type, amountMicroAlc, timeMs } = transaction;
    const isReward = type === 'inference-reward' || type === 'training-reward';
    for (const party of partiesOf(transaction)) {
      const position = batch.tip.state.placeOf(party)!;
      const sums = earnings.get(position) ?? NONE;
      const earned = isReward ? addReward(sums, amountMicroAlc, timeMs) : sums;
      earnings.set(position, { ...earned, transactions: sums.transactions + 1 });
    }
  }
  return earnings;
}

async function readEarnings(tx: DatabaseTransaction<Tables>, positions: number[]): Promise<Map<number, Earnings>> {
  const earnings = new Map<number, Earnings>();
  for (const some of slices(positions, ROWS_PER_STATEMENT)) {
    const rows = await tx
      .selectFrom('ledger_account')
      .select(['position', 'earned_total', 'earned_day', 'earned_on_day', 'transactions'])
      .where('position', 'in', some)
      .execute();
    for (const { position, earned_total, earned_day, earned_on_day, transactions } of rows) {
      const sums = { total: BigInt(earned_total), day: earned_day, onDay: BigInt(earned_on_day), transactions };
      earnings.set(position, sums);
    }
  }
  return earnings;
}
