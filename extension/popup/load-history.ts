import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { MAX_HISTORY_PAGE, type Names, type WalletRequest, type WalletResults } from '../wallet-messages.ts';

export interface LoadedHistory {
  /** Newest first. */
  transactions: TransactionDetail[];
  names: Names;
  hasOlder: boolean;
}

type Ask = (
  request: Extract<WalletRequest, { type: 'walletHistory' }>,
) => Promise<ReturnType<WalletResults['walletHistory']>>;

/** The newest `wanted` transactions, or all there are. Rejects with what `ask` rejects with. */
export async function loadHistory(ask: Ask, wanted: number): Promise<LoadedHistory> {
  const transactions: TransactionDetail[] = [];
  const names: Names = {};
  let before: number | undefined;
  do {
    const limit = Math.min(wanted - transactions.length, MAX_HISTORY_PAGE);
    const page = await ask({ type: 'walletHistory', limit, ...(before !== undefined && { before }) });
    transactions.push(...page.transactions);
    Object.assign(names, page.names);
    before = page.next;
  } while (before !== undefined && transactions.length < wanted);
  return { transactions, names, hasOlder: before !== undefined };
}
