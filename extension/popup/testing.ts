/** Transactions for the popup's tests. */
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';

export const ME = `alc1${'q'.repeat(58)}`;
export const OTHER = `alc1${'p'.repeat(58)}`;

/** One of 0.05 ALC from `OTHER` to `ME` that waits for its first verification; without the fields of `absent`. */
export function transfer(change: Partial<TransactionDetail> = {}, absent: 'from'[] = []): TransactionDetail {
  const detail: TransactionDetail = {
    index: 7,
    hash: 'a'.repeat(64),
    type: 'transfer',
    from: OTHER,
    to: ME,
    amountMicroAlc: '50000',
    feeMicroAlc: '10000',
    timeMs: 1_790_000_000_000,
    memo: '',
    state: 'pending',
    confirmations: 0,
    verifiers: [],
    ...change,
  };
  for (const name of absent) delete detail[name];
  return detail;
}
