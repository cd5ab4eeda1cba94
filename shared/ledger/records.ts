/**
 * What the ledger's state consists of, and the canonical bytes of each record: they are hashed into the state hash and
 * are also how stores keep them. Little-endian.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES } from '../wallet/public-key.ts';
import { HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';
import { USERNAME } from './limits.ts';

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
  /** Of its last training receipt; 0 before the first. */
  trainings: number;
  /** Entries that its last cosignature covers; 0 before the first. */
  cosignedSize: number;
  /** Of its last registration; 0 before the first. */
  registrations: number;
  /** Empty: none. */
  username: string;
}

const AMOUNT_BYTES = 8;
const TROUBLES = ['none', 'reported', 'disputed', 'reversed'] as const;

/** What happened to a transfer after it was made. */
export interface Transfer {
  hash: Uint8Array;
  /** Its place in the log, and when it was placed there. */
  index: number;
  timeMs: number;
  from: Uint8Array;
  to: Uint8Array;
  amountMicroAlc: bigint;
  /** Places of the accounts that verified it, each once, in the order in which they did; none beyond the threshold. */
  verifiers: readonly number[];
  /** As many verified it as it takes: the recipient may spend it, unless it is frozen. */
  confirmed: boolean;
  trouble: (typeof TROUBLES)[number];
}

/** A reported transfer, and who decides. */
export interface Dispute {
  /** Hash of the transfer. */
  transfer: Uint8Array;
  /** Places of the accounts of all nodes that were active at the first report, ascending. */
  activeSet: readonly number[];
  /** Those of them that reported it, in the order in which they did. */
  reporters: readonly number[];
  /** Places of their reports in the log, in the same order. */
  reports: readonly number[];
  /** When enough of them had; 0: not yet. */
  disputedMs: number;
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
    .safe(account.trainings)
    .safe(account.cosignedSize)
    .safe(account.registrations)
    .u8(account.username.length)
    .bytes(utf8ToBytes(account.username))
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
    trainings: reader.safe(),
    cosignedSize: reader.safe(),
    registrations: reader.safe(),
    username: String.fromCharCode(...reader.bytes(reader.u8())),
  };
  reader.end();
  if (account.username !== '' && !USERNAME.test(account.username)) throw invalid('a username is none');
  return account;
}

export function encodeTransfer(transfer: Transfer): Uint8Array {
  return new RecordWriter()
    .fixed(transfer.hash, HASH_BYTES)
    .safe(transfer.index)
    .safe(transfer.timeMs)
    .fixed(transfer.from, PUBLIC_KEY_BYTES)
    .fixed(transfer.to, PUBLIC_KEY_BYTES)
    .amount(transfer.amountMicroAlc)
    .u8(transfer.confirmed ? 1 : 0)
    .u8(TROUBLES.indexOf(transfer.trouble))
    .places(transfer.verifiers)
    .finish();
}

/** Throws LEDGER_RECORD_INVALID. */
export function decodeTransfer(bytes: Uint8Array): Transfer {
  const reader = new RecordReader(bytes, invalid);
  const parties = {
    hash: reader.fixed(HASH_BYTES),
    index: reader.safe(),
    timeMs: reader.safe(),
    from: reader.fixed(PUBLIC_KEY_BYTES),
    to: reader.fixed(PUBLIC_KEY_BYTES),
    amountMicroAlc: reader.amount(),
  };
  const confirmed = reader.u8();
  const trouble = TROUBLES[reader.u8()];
  if (confirmed > 1 || trouble === undefined) throw invalid('a transfer’s state is unknown');
  const transfer = { ...parties, confirmed: confirmed === 1, trouble, verifiers: reader.places() };
  reader.end();
  return transfer;
}

/** Of a transfer's canonical bytes what tells whether a rule will read it again; the hash is a view. */
export function peekTransfer(bytes: Uint8Array): Pick<Transfer, 'hash' | 'timeMs' | 'confirmed' | 'trouble'> {
  const reader = new RecordReader(bytes, invalid);
  const hash = reader.bytes(HASH_BYTES);
  reader.safe();
  const timeMs = reader.safe();
  reader.bytes(2 * PUBLIC_KEY_BYTES + AMOUNT_BYTES);
  const confirmed = reader.u8() === 1;
  const trouble = TROUBLES[reader.u8()];
  if (trouble === undefined) throw invalid('a transfer’s state is unknown');
  return { hash, timeMs, confirmed, trouble };
}

export function encodeDispute(dispute: Dispute): Uint8Array {
  return new RecordWriter()
    .fixed(dispute.transfer, HASH_BYTES)
    .places(dispute.activeSet)
    .places(dispute.reporters)
    .indexes(dispute.reports)
    .safe(dispute.disputedMs)
    .finish();
}

/** Throws LEDGER_RECORD_INVALID. */
export function decodeDispute(bytes: Uint8Array): Dispute {
  const reader = new RecordReader(bytes, invalid);
  const dispute = {
    transfer: reader.fixed(HASH_BYTES),
    activeSet: reader.places(),
    reporters: reader.places(),
    reports: reader.indexes(),
    disputedMs: reader.safe(),
  };
  reader.end();
  return dispute;
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
