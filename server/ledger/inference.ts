/** The receipt of an inference, from what the room saw and back. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { EntryOf } from '../../shared/ledger/entry.ts';
import { encodeReceipt, type InferenceReceipt } from '../../shared/ledger/receipt.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import { checkWork, keyOf } from './receipt-fields.ts';
import type { InferenceReceiptRecord, InferenceResult } from './types.ts';

/** The receipt of a result, but for its number, which the sequencer gives. Throws RECEIPT_INVALID. */
export function inferenceReceipt(result: InferenceResult): InferenceReceipt {
  const { model, tokens, latencyMs, finish, timeMs } = result;
  const receipt: InferenceReceipt = {
    job: hexToBytes(checkWork(result.job)),
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

/** As JSON. */
export function describeInference({ receipt, hash }: EntryOf<'receipt'>): InferenceReceiptRecord {
  return {
    kind: 'inference',
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
