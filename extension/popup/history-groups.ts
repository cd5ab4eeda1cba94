import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { day } from '../ui/format.ts';

export interface DayGroup {
  day: string;
  transactions: TransactionDetail[];
}

/**
 * By days of the reader's time zone, each once, in the order given: a sender's clock may be a little off, so that
 * neighbours around midnight can be of the other day.
 */
export function groupByDay(transactions: TransactionDetail[], nowMs: number): DayGroup[] {
  const groups = new Map<string, TransactionDetail[]>();
  for (const transaction of transactions) {
    const name = day(transaction.timeMs, nowMs);
    const group = groups.get(name);
    if (group) group.push(transaction);
    else groups.set(name, [transaction]);
  }
  return [...groups].map(([name, ofDay]) => ({ day: name, transactions: ofDay }));
}
