/** The one row that says how far the others go, in bytes. */
import { HASH_BYTES, RecordReader, RecordWriter } from '../ledger/binary.ts';
import type { Seal } from '../ledger/checkpoint.ts';
import type { Frontier } from '../ledger/log-tree.ts';
import { decodeTotals, encodeTotals, type Totals } from '../ledger/records.ts';
import type { DueReward } from '../ledger/state.ts';
import { TRANSACTION_TYPES } from '../ledger/transaction.ts';
import { PUBLIC_KEY_BYTES } from '../wallet/public-key.ts';
import { corrupt } from './pages.ts';

/** A place in the log up to which everything is stored. */
export interface Mark {
  size: number;
  /** Records of each kind. */
  accounts: number;
  transfers: number;
  disputes: number;
  history: number;
  totals: Totals;
  /** Rewards of a receipt before the mark that stand behind it. */
  due: readonly DueReward[];
  /** `LogTree`'s windowFrontier. */
  window: Frontier;
}

export interface Head {
  /** Public key of the wallet whose history is kept. */
  owner: Uint8Array;
  /** As far as the rows go. */
  now: Mark;
  /** As far as a checkpoint was verified; the same, or before `now` while a long gap is being replayed. */
  base: Mark;
  /** The checkpoint at `base`, and when it was verified here; absent before the first. */
  verified?: { seal: Seal; verifiedMs: number };
}

export function encodeHead({ owner, now, base, verified }: Head): Uint8Array {
  const writer = new RecordWriter().fixed(owner, PUBLIC_KEY_BYTES);
  writeMark(writer, now);
  writeMark(writer, base);
  if (!verified) return writer.u8(0).finish();
  const { seal, verifiedMs } = verified;
  writer.u8(1).safe(verifiedMs);
  for (const bytes of [seal.bytes, seal.signature]) writer.u16(bytes.length).bytes(bytes);
  return writer.finish();
}

/** Throws LEDGER_CORRUPT. */
export function decodeHead(bytes: Uint8Array): Head {
  const reader = new RecordReader(bytes, corrupt);
  const owner = reader.fixed(PUBLIC_KEY_BYTES);
  const [now, base] = [readMark(reader), readMark(reader)];
  const head: Head = { owner, now, base };
  if (reader.u8() === 1) {
    const verifiedMs = reader.safe();
    const [sealed, signature] = [reader.fixed(reader.u16()), reader.fixed(reader.u16())];
    head.verified = { seal: { bytes: sealed, signature }, verifiedMs };
  }
  reader.end();
  return head;
}

function writeMark(writer: RecordWriter, mark: Mark): void {
  for (const count of [mark.size, mark.accounts, mark.transfers, mark.disputes, mark.history]) writer.safe(count);
  const totals = encodeTotals(mark.totals);
  writer.u16(totals.length).bytes(totals);
  writer.u16(mark.due.length);
  for (const { type, to, amountMicroAlc, reference } of mark.due) {
    writer
      .u8(TRANSACTION_TYPES.indexOf(type))
      .fixed(to, PUBLIC_KEY_BYTES)
      .amount(amountMicroAlc)
      .fixed(reference, HASH_BYTES);
  }
  const { size, hashes } = mark.window;
  writer.safe(size).u8(hashes.length);
  for (const hash of hashes) writer.fixed(hash, HASH_BYTES);
}

function readMark(reader: RecordReader): Mark {
  return {
    size: reader.safe(),
    accounts: reader.safe(),
    transfers: reader.safe(),
    disputes: reader.safe(),
    history: reader.safe(),
    totals: decodeTotals(reader.bytes(reader.u16())),
    due: Array.from({ length: reader.u16() }, () => ({
      type: rewardType(reader.u8()),
      to: reader.fixed(PUBLIC_KEY_BYTES),
      amountMicroAlc: reader.amount(),
      reference: reader.fixed(HASH_BYTES),
    })),
    window: { size: reader.safe(), hashes: Array.from({ length: reader.u8() }, () => reader.fixed(HASH_BYTES)) },
  };
}

function rewardType(code: number): DueReward['type'] {
  const type = TRANSACTION_TYPES[code];
  if (type === 'inference-reward' || type === 'training-reward') return type;
  throw corrupt('a due reward is of no known kind');
}
