/** Transactions as everybody is shown them: plain JSON, addresses for keys, decimal strings for amounts. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes, ZERO_HASH } from '../ledger/binary.ts';
import type { Genesis } from '../ledger/genesis.ts';
import type { Dispute, Transfer } from '../ledger/records.ts';
import { reportsNeeded, standing } from '../ledger/standing.ts';
import type { SignedTransaction } from '../ledger/transaction.ts';
import { encodeAddress } from '../wallet/address.ts';
import type { TransactionRecord, TransactionResponse } from './http.ts';

export interface PlacedTransaction {
  /** Place in the log. */
  index: number;
  signed: SignedTransaction;
  /** Its record, where it is a transfer. */
  transfer?: Transfer | undefined;
}

export function describeTransaction(
  genesis: Genesis,
  { index, signed: { transaction, hash }, transfer }: PlacedTransaction,
  nowMs: number,
): TransactionRecord {
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

type DisputeDetail = NonNullable<TransactionResponse['dispute']>;

/** @param reports who reported it and why, in their order */
export function describeDispute(
  genesis: Genesis,
  { activeSet, disputedMs }: Dispute,
  reports: DisputeDetail['reports'],
): DisputeDetail {
  const activeNodes = activeSet.length;
  return {
    activeNodes,
    needed: reportsNeeded(genesis, activeNodes),
    reports,
    ...(disputedMs > 0 && { disputedMs }),
  };
}
