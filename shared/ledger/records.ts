/**
 * What the ledger's state consists of, and the canonical bytes of each record: they are hashed into the state hash and
 * are also how stores keep them. Little-endian.
 */
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES } from '../wallet/public-key.ts';
import { HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';

export interface Account {
  publicKey: Uint8Array;
  /** Below zero only after a reversal of what was already spent. */
  availableMicroAlc: bigint;
  /** Received, but not confirmed yet. */
  pendingMicroAlc: bigint;
  /** Of its last transaction; 0 before the first. */
  nonce: number;
  /** Of its last paid inference as a requester; 0 before the first. */
  receipts: number;
  /** The clock hour (hours since 1970) of that inference, and how many in that hour were paid. */
  quotaHour: number;
  quotaUsed: number;
  /** When it last earned a reward; 0: never. */
  lastWorkMs: number;
}

export const TRANSFER_STATES = ['pending', 'confirmed', 'reported', 'disputed', 'reversed'] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

/** What happened to a transfer after it was made. */
export interface Transfer {
  hash: Uint8Array;
  from: Uint8Array;
  to: Uint8Array;
  amountMicroAlc: bigint;
  state: TransferState;
  confirmations: number;
}

export interface Totals {
  mintedMicroAlc: bigint;
  burnedMicroAlc: bigint;
  treasuryMicroAlc: bigint;
  /** Of the network's last transaction. */
  networkNonce: number;
  /** When the last entry was placed. */
  timeMs: number;
  /** Counts from 0 at genesis. */
  epoch: number;
  epochMintedMicroAlc: bigint;
  /** Wallets that earned in this epoch. */
  epochEarners: number;
  /** What this epoch's rewards are multiplied with, in millionths. */
  epochRatePpm: number;
}

export function encodeAccount(account: Account): Uint8Array {
  return new RecordWriter()
    .fixed(account.publicKey, PUBLIC_KEY_BYTES)
    .balance(account.availableMicroAlc)
    .amount(account.pendingMicroAlc)
    .safe(account.nonce)
    .safe(account.receipts)
    .u32(account.quotaHour)
    .u32(account.quotaUsed)
    .safe(account.lastWorkMs)
    .finish();
}

/** Throws LEDGER_RECORD_INVALID. */
export function decodeAccount(bytes: Uint8Array): Account {
  const reader = new RecordReader(bytes, invalid);
  const account = {
    publicKey: reader.fixed(PUBLIC_KEY_BYTES),
    availableMicroAlc: reader.balance(),
    pendingMicroAlc: reader.amount(),
    nonce: reader.safe(),
    receipts: reader.safe(),
    quotaHour: reader.u32(),
    quotaUsed: reader.u32(),
    lastWorkMs: reader.safe(),
  };
  reader.end();
  return account;
}

export function encodeTransfer(transfer: Transfer): Uint8Array {
  return new RecordWriter()
    .fixed(transfer.hash, HASH_BYTES)
    .fixed(transfer.from, PUBLIC_KEY_BYTES)
    .fixed(transfer.to, PUBLIC_KEY_BYTES)
    .amount(transfer.amountMicroAlc)
    .u8(TRANSFER_STATES.indexOf(transfer.state))
    .u16(transfer.confirmations)
    .finish();
}

/** Throws LEDGER_RECORD_INVALID. */
export function decodeTransfer(bytes: Uint8Array): Transfer {
  const reader = new RecordReader(bytes, invalid);
  const parties = {
    hash: reader.fixed(HASH_BYTES),
    from: reader.fixed(PUBLIC_KEY_BYTES),
    to: reader.fixed(PUBLIC_KEY_BYTES),
    amountMicroAlc: reader.amount(),
  };
  const state = TRANSFER_STATES[reader.u8()];
  if (state === undefined) throw invalid('a transfer’s state is unknown');
  const transfer = { ...parties, state, confirmations: reader.u16() };
  reader.end();
  return transfer;
}

export function encodeTotals(totals: Totals): Uint8Array {
  return new RecordWriter()
    .amount(totals.mintedMicroAlc)
    .amount(totals.burnedMicroAlc)
    .amount(totals.treasuryMicroAlc)
    .safe(totals.networkNonce)
    .safe(totals.timeMs)
    .safe(totals.epoch)
    .amount(totals.epochMintedMicroAlc)
    .u32(totals.epochEarners)
    .u32(totals.epochRatePpm)
    .finish();
}

/** Throws LEDGER_RECORD_INVALID. */
export function decodeTotals(bytes: Uint8Array): Totals {
  const reader = new RecordReader(bytes, invalid);
  const totals = {
    mintedMicroAlc: reader.amount(),
    burnedMicroAlc: reader.amount(),
    treasuryMicroAlc: reader.amount(),
    networkNonce: reader.safe(),
    timeMs: reader.safe(),
    epoch: reader.safe(),
    epochMintedMicroAlc: reader.amount(),
    epochEarners: reader.u32(),
    epochRatePpm: reader.u32(),
  };
  reader.end();
  return totals;
}

function invalid(reason: string): AiloError {
  return AiloError.of('LEDGER_RECORD_INVALID', { reason });
}
