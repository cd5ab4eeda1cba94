/** Transactions as the API gives them. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes, ZERO_HASH } from '../../shared/ledger/binary.ts';
import { decodeEntry } from '../../shared/ledger/entry.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import type { Transfer } from '../../shared/ledger/records.ts';
import { standing } from '../../shared/ledger/standing.ts';
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';

/**
 * The transaction of entry `index`; RangeError for an entry that is none.
 *
 * @param transfer its record, where it is a transfer
 */
export function describeTransaction(
  index: number,
  entryBytes: Uint8Array,
  transfer: Transfer | undefined,
  genesis: Genesis,
  nowMs: number,
): TransactionRecord {
  const entry = decodeEntry(entryBytes);
  if (entry.kind !== 'transaction') throw new RangeError(`entry ${index} is no transaction`);
  const { transaction, hash } = entry.signed;
  const { type, from, to, reference } = transaction;
  return {
    index,
    hash: bytesToHex(hash),
    type,
    ...(type === 'transfer' && { from: encodeAddress(from) }),
    to: encodeAddress(to),
    amountMicroAlc: String(transaction.amountMicroAlc),
    feeMicroAlc: String(transaction.feeMicroAlc),
    timeMs: transaction.timeMs,
    ...(!equalBytes(reference, ZERO_HASH) && { reference: bytesToHex(reference) }),
    memo: transaction.memo,
    // What the network itself adds needs no confirmation.
    state: transfer ? standing(genesis, transfer, nowMs) : 'confirmed',
    confirmations: transfer?.verifiers.length ?? 0,
  };
}
