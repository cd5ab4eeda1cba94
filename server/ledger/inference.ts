/** Booking an inference: its receipt, and a reward for each wallet that the receipt pays. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../../shared/errors/index.ts';
import type { Batch } from '../../shared/ledger/batch.ts';
import { decodeEntry, encodeReceiptEntry, encodeTransactionEntry } from '../../shared/ledger/entry.ts';
import { encodeReceipt, type InferenceReceipt, JOB_BYTES } from '../../shared/ledger/receipt.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import { encodeAddress, keyOfAddress } from '../../shared/wallet/address.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import type { InferenceResult, ReceiptRecord } from './types.ts';

/** The receipt of a result, but for its number, which the sequencer gives. Throws RECEIPT_INVALID. */
export function receiptOf(result: InferenceResult): InferenceReceipt {
  if (!new RegExp(`^[0-9a-f]{${2 * JOB_BYTES}}$`).test(result.job)) {
    throw AiloError.of('RECEIPT_INVALID', { reason: 'its job is not 128 bits of hex' });
  }
  const { model, tokens, latencyMs, finish, timeMs } = result;
  const receipt: InferenceReceipt = {
    job: hexToBytes(result.job),
    requester: keyOf(result.requester),
    number: 1,
    timeMs,
    tokens,
    latencyMs,
    finish,
    model,
    participants: result.participants.map(({ address, start, end }) => ({ publicKey: keyOf(address), start, end })),
  };
  // Every number within its field, before it waits for its turn.
  encodeReceipt(receipt);
  return receipt;
}

/** Adds the receipt and its rewards to the batch. Returns the receipt's place; the rewards stand behind it. */
export function bookInference(batch: Batch, key: SigningKey, unnumbered: InferenceReceipt, nowMs: number): number {
  const { state } = batch.tip;
  // A clock that was set back must not take the log back.
  const timeMs = Math.max(nowMs, state.totals.timeMs);
  const receipt = { ...unnumbered, number: (state.account(unnumbered.requester)?.receipts ?? 0) + 1 };
  const { position } = batch.add(encodeReceiptEntry(timeMs, receipt));
  for (let due = state.due[0]; due; due = state.due[0]) {
    const reward = signTransaction(key, {
      networkId: batch.network.id,
      type: 'inference-reward',
      from: key.publicKey,
      to: due.to,
      amountMicroAlc: due.amountMicroAlc,
      feeMicroAlc: 0n,
      nonce: state.totals.networkNonce + 1,
      timeMs,
      reference: due.reference,
      memo: '',
    });
    batch.add(encodeTransactionEntry(timeMs, reward));
  }
  return position;
}

/** Whether the receipt in the log is the one of this result. */
export function isReceiptOf(result: InferenceReceipt, logged: InferenceReceipt): boolean {
  return bytesToHex(encodeReceipt({ ...result, number: logged.number })) === bytesToHex(encodeReceipt(logged));
}

/** The receipt in an entry, as JSON. RangeError for an entry that holds none. */
export function describeReceipt(entryBytes: Uint8Array): ReceiptRecord {
  const { receipt, hash } = receiptIn(entryBytes);
  return {
    hash: bytesToHex(hash),
    job: bytesToHex(receipt.job),
    requester: encodeAddress(receipt.requester),
    number: receipt.number,
    timeMs: receipt.timeMs,
    tokens: receipt.tokens,
    latencyMs: receipt.latencyMs,
    finish: receipt.finish,
    model: receipt.model,
    participants: receipt.participants.map(({ publicKey, start, end }) => ({
      address: encodeAddress(publicKey),
      start,
      end,
    })),
  };
}

export function receiptIn(entryBytes: Uint8Array): { receipt: InferenceReceipt; hash: Uint8Array } {
  const entry = decodeEntry(entryBytes);
  if (entry.kind !== 'receipt') throw new RangeError('the entry is no receipt');
  return entry;
}

function keyOf(address: string): Uint8Array {
  try {
    return keyOfAddress(address);
  } catch (error) {
    throw AiloError.of('RECEIPT_INVALID', { reason: 'it names somebody who has no address' }, error);
  }
}
