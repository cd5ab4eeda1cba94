/**
 * Entries of the log: `kind (1) ‖ time in ms (8) ‖ payload`, where `time` is when the sequencer placed it. An entry's
 * Merkle leaf is all of its bytes. The time stands here and not only in the checkpoint, so that whoever replays the
 * log later, from another checkpoint, judges each transfer by the same clock.
 *
 * Kinds: 1 a transaction and its signature; 2 an inference receipt.
 */
import { AiloError } from '../errors/index.ts';
import { RecordReader, RecordWriter } from './binary.ts';
import { decodeReceipt, encodeReceipt, type InferenceReceipt, receiptHash } from './receipt.ts';
import { decodeSigned, type SignedTransaction } from './transaction.ts';

export type Entry =
  | { kind: 'transaction'; timeMs: number; signed: SignedTransaction }
  | { kind: 'receipt'; timeMs: number; receipt: InferenceReceipt; hash: Uint8Array };

const TRANSACTION = 1;
const RECEIPT = 2;

export function encodeTransactionEntry(timeMs: number, { bytes, signature }: SignedTransaction): Uint8Array {
  return new RecordWriter().u8(TRANSACTION).safe(timeMs).bytes(bytes).bytes(signature).finish();
}

export function encodeReceiptEntry(timeMs: number, receipt: InferenceReceipt): Uint8Array {
  return new RecordWriter().u8(RECEIPT).safe(timeMs).bytes(encodeReceipt(receipt)).finish();
}

/** Throws ENTRY_INVALID, or TRANSACTION_INVALID or RECEIPT_INVALID for the payload. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const reader = new RecordReader(bytes, (reason) => AiloError.of('ENTRY_INVALID', { reason }));
  const kind = reader.u8();
  const timeMs = reader.safe();
  const payload = reader.bytes(reader.remaining);
  if (kind === TRANSACTION) return { kind: 'transaction', timeMs, signed: decodeSigned(payload) };
  if (kind === RECEIPT) return { kind: 'receipt', timeMs, receipt: decodeReceipt(payload), hash: receiptHash(payload) };
  throw AiloError.of('ENTRY_INVALID', { reason: 'its kind is unknown' });
}
