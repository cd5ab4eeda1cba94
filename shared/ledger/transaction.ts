/**
 * Transactions: fixed binary, little-endian.
 *
 *     "ailo/tx/v1\0"  network id (32)  type (1)  from (32)  to (32)  amount (8)  fee (8)  nonce (8)  time in ms (8)
 *     reference (32)  memo length (1)  memo (0–64 bytes of UTF-8)
 *
 * The hash is the SHA-256 of these bytes; the Ed25519 signature is over the bytes themselves, which the domain at their
 * beginning keeps apart from everything else that a wallet signs. `from` and `to` are public keys; rewards and
 * reversals are from the network's key.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../bytes/sha256-sync.ts';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES, verify } from '../wallet/public-key.ts';
import type { SigningKey } from '../wallet/wallet.ts';
import { decodeText, domain, HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';
import { MAX_MEMO_BYTES } from './limits.ts';

export const TRANSACTION_TYPES = ['training-reward', 'inference-reward', 'transfer', 'reversal'] as const;
export type TransactionType = (typeof TRANSACTION_TYPES)[number];

export interface Transaction {
  /** 32 bytes. */
  networkId: Uint8Array;
  type: TransactionType;
  /** Public key of who signs. */
  from: Uint8Array;
  to: Uint8Array;
  amountMicroAlc: bigint;
  feeMicroAlc: bigint;
  /** Counts the sender's transactions from 1; the network's, too. */
  nonce: number;
  /** Unix time. */
  timeMs: number;
  /** Receipt hash for rewards, the reversed transaction's hash for reversals, zeros for transfers. */
  reference: Uint8Array;
  /** At most 64 bytes of UTF-8. */
  memo: string;
}

export interface SignedTransaction {
  transaction: Transaction;
  /** What was signed. Rules are checked on what these bytes say, never on a re-encoding. */
  bytes: Uint8Array;
  signature: Uint8Array;
  /** SHA-256 of `bytes`. */
  hash: Uint8Array;
}

const DOMAIN = domain('tx');

/** Throws TRANSACTION_INVALID for fields that have no encoding. */
export function encodeTransaction(transaction: Transaction): Uint8Array {
  const memo = utf8ToBytes(transaction.memo);
  if (memo.length > MAX_MEMO_BYTES) throw memoTooLong(memo.length);
  if (decodeText(memo) !== transaction.memo) throw invalid('its memo is not text');
  try {
    return new RecordWriter()
      .bytes(DOMAIN)
      .fixed(transaction.networkId, HASH_BYTES)
      .u8(TRANSACTION_TYPES.indexOf(transaction.type) + 1)
      .fixed(transaction.from, PUBLIC_KEY_BYTES)
      .fixed(transaction.to, PUBLIC_KEY_BYTES)
      .amount(transaction.amountMicroAlc)
      .amount(transaction.feeMicroAlc)
      .safe(transaction.nonce)
      .safe(transaction.timeMs)
      .fixed(transaction.reference, HASH_BYTES)
      .u8(memo.length)
      .bytes(memo)
      .finish();
  } catch (error) {
    throw error instanceof RangeError ? invalid(error.message) : error;
  }
}

/** Throws TRANSACTION_INVALID for anything that `encodeTransaction` could not have written. */
export function decodeTransaction(bytes: Uint8Array): Transaction {
  const reader = new RecordReader(bytes, invalid);
  reader.domain(DOMAIN);
  const networkId = reader.fixed(HASH_BYTES);
  const type = TRANSACTION_TYPES[reader.u8() - 1];
  if (type === undefined) throw invalid('its type is unknown');
  const fields = {
    from: reader.fixed(PUBLIC_KEY_BYTES),
    to: reader.fixed(PUBLIC_KEY_BYTES),
    amountMicroAlc: reader.amount(),
    feeMicroAlc: reader.amount(),
    nonce: reader.safe(),
    timeMs: reader.safe(),
    reference: reader.fixed(HASH_BYTES),
  };
  const memoBytes = reader.u8();
  if (memoBytes > MAX_MEMO_BYTES) throw memoTooLong(memoBytes);
  const memo = decodeText(reader.bytes(memoBytes));
  if (memo === undefined) throw invalid('its memo is not UTF-8');
  reader.end();
  return { networkId, type, ...fields, memo };
}

export function signTransaction(key: SigningKey, transaction: Transaction): SignedTransaction {
  const bytes = encodeTransaction(transaction);
  return { transaction, bytes, signature: key.sign(bytes), hash: sha256(bytes) };
}

/** Reads `transaction bytes ‖ signature`, as the log holds them; both stay views of `signed`. Throws TRANSACTION_INVALID; checks no signature. */
export function decodeSigned(signed: Uint8Array): SignedTransaction {
  if (signed.length < SIGNATURE_BYTES) throw invalid('it is shorter than a signature');
  const bytes = signed.subarray(0, -SIGNATURE_BYTES);
  return {
    transaction: decodeTransaction(bytes),
    bytes,
    signature: signed.subarray(-SIGNATURE_BYTES),
    hash: sha256(bytes),
  };
}

/** Whether the sender signed the bytes. The sender's key was checked when it first appeared. */
export function isSignedBySender({ transaction, bytes, signature }: SignedTransaction): boolean {
  return verify(signature, bytes, transaction.from);
}

function memoTooLong(bytes: number): AiloError {
  return invalid(`its memo has ${bytes} bytes, more than ${MAX_MEMO_BYTES}`);
}

function invalid(reason: string): AiloError {
  return AiloError.of('TRANSACTION_INVALID', { reason });
}
