/** Entries of the log as transactions of the API. */
import { decodeEntry } from '../../shared/ledger/entry.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import type { Transfer } from '../../shared/ledger/records.ts';
import { describeTransaction } from '../../shared/protocol/describe.ts';
import type { TransactionRecord } from '../../shared/protocol/http.ts';

/**
 * The transaction of entry `index`; RangeError for an entry that is none.
 *
 * @param transfer its record, where it is a transfer
 */
export function describeEntry(
  index: number,
  entryBytes: Uint8Array,
  transfer: Transfer | undefined,
  genesis: Genesis,
  nowMs: number,
): TransactionRecord {
  const entry = decodeEntry(entryBytes);
  if (entry.kind !== 'transaction') throw new RangeError(`entry ${index} is no transaction`);
  return describeTransaction(genesis, { index, signed: entry.signed, transfer }, nowMs);
}
