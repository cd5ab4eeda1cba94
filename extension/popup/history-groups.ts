import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { day } from '../ui/format.ts';

export interface DayGroup {
  day: string;
  transactions: TransactionDetail[];
}

/** Neighbours of one day, in the reader's time zone, in the order given. */
export function groupByDay(transactions: TransactionDetail[], nowMs: number): DayGroup[] {
  const groups: DayGroup[] = [];
  for (const transaction of transactions) {
    const name = day(transaction.timeMs, nowMs);
    const last = groups.at(-1);
    if (last?.day === name) last.transactions.push(transaction);
    else groups.push({ day: name, transactions: [transaction] });
  }
  return groups;
}
