/** In whose histories a transaction stands. */
import type { Transaction } from '../../shared/ledger/transaction.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';

/** Addresses; the network, from which rewards and reversals come, has none. */
export function partiesOf({ type, from, to }: Transaction): string[] {
  return type === 'transfer' ? [encodeAddress(from), encodeAddress(to)] : [encodeAddress(to)];
}
