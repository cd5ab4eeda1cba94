/** The receipt of a work unit, from what the round found and back. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { EntryOf } from '../../shared/ledger/entry.ts';
import { encodeTrainingReceipt, type TrainingReceipt } from '../../shared/ledger/training-receipt.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import { checkWork, keyOf } from './receipt-fields.ts';
import type { TrainingReceiptRecord, TrainingResult } from './types.ts';

/** The receipt of a result, but for its number, which the sequencer gives. Throws RECEIPT_INVALID. */
export function trainingReceipt({ unit, wallet, ...result }: TrainingResult): TrainingReceipt {
  const receipt: TrainingReceipt = { unit: hexToBytes(checkWork(unit)), wallet: keyOf(wallet), number: 1, ...result };
  // Every number within its field, before it waits for its turn.
  encodeTrainingReceipt(receipt);
  return receipt;
}

/** As JSON. */
export function describeTraining({ receipt, hash }: EntryOf<'training-receipt'>): TrainingReceiptRecord {
  const { unit, wallet, ...rest } = receipt;
  return {
    kind: 'training',
    hash: bytesToHex(hash),
    unit: bytesToHex(unit),
    wallet: encodeAddress(wallet),
    ...rest,
  };
}
