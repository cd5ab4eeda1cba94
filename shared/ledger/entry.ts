/**
 * Entries of the log: `kind (1) ‖ time in ms (8) ‖ payload`, where `time` is when the sequencer placed it. An entry's
 * Merkle leaf is all of its bytes. The time stands here and not only in the checkpoint, so that whoever replays the
 * log later, from another checkpoint, judges each transfer by the same clock.
 *
 * Kinds: 1 a transaction and its signature; 2 an inference receipt; 3 a registration; 4 a cosignature; 5 a report,
 * behind which the first one of a transfer carries the active set: its size (2) and the places of the accounts (4 each),
 * ascending (who is active only the coordinator knows, so it says so in public, before anybody decides); 6 a training
 * receipt.
 */
import { AiloError } from '../errors/index.ts';
import { SIGNATURE_BYTES } from '../wallet/public-key.ts';
import { RecordReader, RecordWriter } from './binary.ts';
import { decodeCosignature, type SignedCosignature } from './cosignature.ts';
import { MAX_ACTIVE_SET } from './limits.ts';
import { decodeReceipt, encodeReceipt, type InferenceReceipt, receiptHash } from './receipt.ts';
import { decodeRegistration, type SignedRegistration } from './registration.ts';
import { decodeReport, type SignedReport } from './report.ts';
import { decodeTrainingReceipt, encodeTrainingReceipt, type TrainingReceipt } from './training-receipt.ts';
import { decodeSigned, type SignedTransaction } from './transaction.ts';

export type Entry =
  | { kind: 'transaction'; timeMs: number; signed: SignedTransaction }
  | { kind: 'receipt'; timeMs: number; receipt: InferenceReceipt; hash: Uint8Array }
  | { kind: 'registration'; timeMs: number; signed: SignedRegistration }
  | { kind: 'cosignature'; timeMs: number; signed: SignedCosignature }
  | { kind: 'report'; timeMs: number; signed: SignedReport; activeSet: number[] }
  | { kind: 'training-receipt'; timeMs: number; receipt: TrainingReceipt; hash: Uint8Array };

/** An entry that carries somebody's signature. */
export type SignedEntry = Extract<Entry, { signed: unknown }>;

/** The entry of one kind. */
export type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

const KINDS = {
  transaction: 1,
  receipt: 2,
  registration: 3,
  cosignature: 4,
  report: 5,
  'training-receipt': 6,
} as const;

/** What was signed and the signature over it, one behind the other, as an entry holds them. */
interface Signed {
  bytes: Uint8Array;
  signature: Uint8Array;
}

export function encodeSignedEntry(
  kind: 'transaction' | 'registration' | 'cosignature',
  timeMs: number,
  { bytes, signature }: Signed,
): Uint8Array {
  return new RecordWriter().u8(KINDS[kind]).safe(timeMs).bytes(bytes).bytes(signature).finish();
}

export function encodeTransactionEntry(timeMs: number, signed: SignedTransaction): Uint8Array {
  return encodeSignedEntry('transaction', timeMs, signed);
}

export function encodeReceiptEntry(timeMs: number, receipt: InferenceReceipt): Uint8Array {
  return new RecordWriter().u8(KINDS.receipt).safe(timeMs).bytes(encodeReceipt(receipt)).finish();
}

export function encodeTrainingReceiptEntry(timeMs: number, receipt: TrainingReceipt): Uint8Array {
  return new RecordWriter().u8(KINDS['training-receipt']).safe(timeMs).bytes(encodeTrainingReceipt(receipt)).finish();
}

/** @param activeSet empty for all reports of a transfer but the first */
export function encodeReportEntry(timeMs: number, { bytes, signature }: Signed, activeSet: number[]): Uint8Array {
  const writer = new RecordWriter().u8(KINDS.report).safe(timeMs);
  return writer
    .u16(bytes.length + SIGNATURE_BYTES)
    .bytes(bytes)
    .bytes(signature)
    .places(activeSet)
    .finish();
}

/** Throws ENTRY_INVALID, or the error of the payload's format. Checks no signature. */
export function decodeEntry(bytes: Uint8Array): Entry {
  const reader = new RecordReader(bytes, invalid);
  const kind = reader.u8();
  const timeMs = reader.safe();
  const rest = () => reader.bytes(reader.remaining);
  switch (kind) {
    case KINDS.transaction:
      return { kind: 'transaction', timeMs, signed: decodeSigned(rest()) };
    case KINDS.receipt: {
      const payload = rest();
      return { kind: 'receipt', timeMs, receipt: decodeReceipt(payload), hash: receiptHash(payload) };
    }
    case KINDS.registration:
      return { kind: 'registration', timeMs, signed: decodeRegistration(rest()) };
    case KINDS.cosignature:
      return { kind: 'cosignature', timeMs, signed: decodeCosignature(rest()) };
    case KINDS.report: {
      const signed = decodeReport(reader.bytes(reader.u16()));
      const activeSet = reader.places();
      reader.end();
      checkActiveSet(activeSet);
      return { kind: 'report', timeMs, signed, activeSet };
    }
    case KINDS['training-receipt']: {
      const payload = rest();
      const receipt = decodeTrainingReceipt(payload);
      return { kind: 'training-receipt', timeMs, receipt, hash: receiptHash(payload) };
    }
    default:
      throw invalid('its kind is unknown');
  }
}

/** Whose signature over what an entry carries; a receipt has none of its own, the rewards behind it have. */
export function signatureIn(
  entry: Entry,
): { publicKey: Uint8Array; message: Uint8Array; signature: Uint8Array } | undefined {
  if (!('signed' in entry)) return undefined;
  const { bytes: message, signature } = entry.signed;
  return { publicKey: signerOf(entry), message, signature };
}

function signerOf(entry: SignedEntry): Uint8Array {
  switch (entry.kind) {
    case 'transaction':
      return entry.signed.transaction.from;
    case 'registration':
      return entry.signed.registration.publicKey;
    case 'cosignature':
      return entry.signed.cosignature.publicKey;
    case 'report':
      return entry.signed.report.publicKey;
  }
}

function checkActiveSet(activeSet: number[]): void {
  if (activeSet.length > MAX_ACTIVE_SET) throw invalid(`its active set has more than ${MAX_ACTIVE_SET} nodes`);
  if (activeSet.some((place, i) => i > 0 && place <= activeSet[i - 1]!)) {
    throw invalid('its active set is not in ascending order');
  }
}

function invalid(reason: string): AiloError {
  return AiloError.of('ENTRY_INVALID', { reason });
}
