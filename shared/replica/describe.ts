/** What the replica knows, as it is shown: plain JSON, addresses for keys, decimal strings for amounts. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { equalBytes, ZERO_HASH } from '../ledger/binary.ts';
import type { Genesis } from '../ledger/genesis.ts';
import { reportsNeeded, standing } from '../ledger/standing.ts';
import { encodeAddress } from '../wallet/address.ts';
import type { KnownTransaction } from './types.ts';
import type { TransactionDetail } from './wallet-types.ts';

export function describeTransaction(genesis: Genesis, known: KnownTransaction, nowMs: number): TransactionDetail {
  const { index, signed, transfer, verifiers, reports } = known;
  const { type, from, to, reference } = signed.transaction;
  const dispute = describeDispute(genesis, known);
  return {
    index,
    hash: bytesToHex(signed.hash),
    type,
    ...(type === 'transfer' && { from: encodeAddress(from) }),
    to: encodeAddress(to),
    amountMicroAlc: String(signed.transaction.amountMicroAlc),
    feeMicroAlc: String(signed.transaction.feeMicroAlc),
    timeMs: signed.transaction.timeMs,
    ...(!equalBytes(reference, ZERO_HASH) && { reference: bytesToHex(reference) }),
    memo: signed.transaction.memo,
    // What the network itself adds needs no confirmation.
    state: transfer ? standing(genesis, transfer, nowMs) : 'confirmed',
    confirmations: verifiers.length,
    verifiers,
    ...(dispute && { dispute: { ...dispute, reports } }),
  };
}

function describeDispute(genesis: Genesis, { dispute }: KnownTransaction) {
  if (!dispute) return undefined;
  const activeNodes = dispute.activeSet.length;
  return {
    activeNodes,
    needed: reportsNeeded(genesis, activeNodes),
    ...(dispute.disputedMs > 0 && { disputedMs: dispute.disputedMs }),
  };
}
