/** Booking work: its receipt, and a reward for each wallet that the receipt pays. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Batch } from '../../shared/ledger/batch.ts';
import {
  decodeEntry,
  type EntryOf,
  encodeReceiptEntry,
  encodeTrainingReceiptEntry,
  encodeTransactionEntry,
} from '../../shared/ledger/entry.ts';
import { encodeReceipt, type InferenceReceipt } from '../../shared/ledger/receipt.ts';
import { paidWallets } from '../../shared/ledger/rewards.ts';
import { encodeTrainingReceipt, type TrainingReceipt } from '../../shared/ledger/training-receipt.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import { describeInference } from './inference.ts';
import { describeTraining } from './training.ts';
import type { ReceiptRecord } from './types.ts';

/** A receipt but for its number, which the sequencer gives. */
export type Unnumbered =
  | { kind: 'receipt'; receipt: InferenceReceipt }
  | { kind: 'training-receipt'; receipt: TrainingReceipt };
type ReceiptEntry = EntryOf<'receipt'> | EntryOf<'training-receipt'>;

/** Adds the receipt and its rewards to the batch. Returns the receipt's place; the rewards stand behind it. */
export function bookReceipt(batch: Batch, key: SigningKey, unnumbered: Unnumbered, nowMs: number): number {
  const { state } = batch.tip;
  // A clock that was set back must not take the log back.
  const timeMs = Math.max(nowMs, state.totals.timeMs);
  const { position } = batch.add(numbered(batch, unnumbered, timeMs));
  for (let due = state.due[0]; due; due = state.due[0]) {
    const reward = signTransaction(key, {
      networkId: batch.network.id,
      type: due.type,
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

/** An entry that follows from no work throws RangeError. */
export function receiptIn(entryBytes: Uint8Array): ReceiptEntry {
  const entry = decodeEntry(entryBytes);
  if (entry.kind === 'receipt' || entry.kind === 'training-receipt') return entry;
  throw new RangeError('the entry is no receipt');
}

/** Whether the receipt in the log is this one. */
export function isReceiptOf(unnumbered: Unnumbered, logged: ReceiptEntry): boolean {
  if (unnumbered.kind !== logged.kind) return false;
  return bytesToHex(bytesOf(unnumbered, logged.receipt.number)) === bytesToHex(bytesOf(logged, logged.receipt.number));
}

function bytesOf({ kind, receipt }: Unnumbered, number: number): Uint8Array {
  return kind === 'receipt' ? encodeReceipt({ ...receipt, number }) : encodeTrainingReceipt({ ...receipt, number });
}

/** Rewards that stand behind the receipt. */
export function rewardsBehind(entry: ReceiptEntry): number {
  return entry.kind === 'receipt' ? paidWallets(entry.receipt).length : 1;
}

export function describeReceipt(entryBytes: Uint8Array): ReceiptRecord {
  const entry = receiptIn(entryBytes);
  return entry.kind === 'receipt' ? describeInference(entry) : describeTraining(entry);
}

/** What the receipt is about, hex. */
export function workOfReceipt(unnumbered: Unnumbered): string {
  return unnumbered.kind === 'receipt' ? bytesToHex(unnumbered.receipt.job) : bytesToHex(unnumbered.receipt.unit);
}

function numbered(batch: Batch, { kind, receipt }: Unnumbered, timeMs: number): Uint8Array {
  const { state } = batch.tip;
  if (kind === 'receipt') {
    const number = (state.account(receipt.requester)?.receipts ?? 0) + 1;
    return encodeReceiptEntry(timeMs, { ...receipt, number });
  }
  const number = (state.account(receipt.wallet)?.trainings ?? 0) + 1;
  return encodeTrainingReceiptEntry(timeMs, { ...receipt, number });
}
