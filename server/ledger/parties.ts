/** Whom entries concern. */
import type { Batch } from '../../shared/ledger/batch.ts';
import type { Transaction } from '../../shared/ledger/transaction.ts';
import { addressOf } from './addresses.ts';

/** In whose histories a transaction stands. The network's key, from which rewards and reversals come, has none. */
export function partiesOf({ type, from, to }: Transaction): Uint8Array[] {
  return type === 'transfer' ? [from, to] : [to];
}

/** Addresses of the wallets whose balance or history the batch changed. */
export function concerned({ entries, changed, tip: { state } }: Batch): Set<string> {
  const keys = new Set<Uint8Array>();
  for (const { from, to } of changed.transfers.values()) keys.add(from).add(to);
  for (const { entry } of entries) {
    if (entry.kind !== 'transaction' || entry.signed.transaction.type === 'transfer') continue;
    for (const party of partiesOf(entry.signed.transaction)) keys.add(state.account(party)!.publicKey);
  }
  return new Set([...keys].map(addressOf));
}
