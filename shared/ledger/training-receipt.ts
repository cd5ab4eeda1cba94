/**
 * Training receipts: what a wallet's update of one work unit was worth, public, so that anybody can recompute the reward.
 *
 *     "ailo/receipt/training/v1\0"  unit (16)  wallet (32)  number (8)  time in ms (8)  round (4)  sequences (4)
 *     rank (2)  ranked (2)  loss before (4)  loss after (4)  latency in ms (4)  campaign length (1)  campaign
 *
 * Little-endian; losses in millionths of a nat.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES } from '../wallet/public-key.ts';
import { domain, RecordReader, RecordWriter } from './binary.ts';
import { MODEL_ID } from './limits.ts';

export const UNIT_BYTES = 16;

export interface TrainingReceipt {
  /** 128 random bits: the work unit that the coordinator assigned. */
  unit: Uint8Array;
  /** Public key of who trained. */
  wallet: Uint8Array;
  /** Counts the wallet's training receipts from 1: none can be paid again. */
  number: number;
  /** When the update was validated, Unix time. */
  timeMs: number;
  round: number;
  /** The batch that was assigned, in sequences. */
  sequences: number;
  /** Place of the update's loss score among all that were validated in the round; 1 is the best. */
  rank: number;
  ranked: number;
  /** On the round's held-out set, in millionths of a nat. */
  lossBeforeMicroNats: number;
  lossAfterMicroNats: number;
  /** From the assignment to the update's arrival. */
  latencyMs: number;
  /** As a model's id. */
  campaign: string;
}

const DOMAIN = domain('receipt/training');

/** Throws RECEIPT_INVALID for what cannot be a receipt. */
export function encodeTrainingReceipt(receipt: TrainingReceipt): Uint8Array {
  check(receipt);
  try {
    return new RecordWriter()
      .bytes(DOMAIN)
      .fixed(receipt.unit, UNIT_BYTES)
      .fixed(receipt.wallet, PUBLIC_KEY_BYTES)
      .safe(receipt.number)
      .safe(receipt.timeMs)
      .u32(receipt.round)
      .u32(receipt.sequences)
      .u16(receipt.rank)
      .u16(receipt.ranked)
      .u32(receipt.lossBeforeMicroNats)
      .u32(receipt.lossAfterMicroNats)
      .u32(receipt.latencyMs)
      .u8(receipt.campaign.length)
      .bytes(utf8ToBytes(receipt.campaign))
      .finish();
  } catch (error) {
    throw error instanceof RangeError ? invalid(error.message) : error;
  }
}

/** Throws RECEIPT_INVALID for anything that `encodeTrainingReceipt` could not have written. */
export function decodeTrainingReceipt(bytes: Uint8Array): TrainingReceipt {
  const reader = new RecordReader(bytes, invalid);
  reader.domain(DOMAIN);
  const receipt = {
    unit: reader.fixed(UNIT_BYTES),
    wallet: reader.fixed(PUBLIC_KEY_BYTES),
    number: reader.safe(),
    timeMs: reader.safe(),
    round: reader.u32(),
    sequences: reader.u32(),
    rank: reader.u16(),
    ranked: reader.u16(),
    lossBeforeMicroNats: reader.u32(),
    lossAfterMicroNats: reader.u32(),
    latencyMs: reader.u32(),
    campaign: String.fromCharCode(...reader.bytes(reader.u8())),
  };
  reader.end();
  check(receipt);
  return receipt;
}

function check({ number, sequences, rank, ranked, campaign }: TrainingReceipt): void {
  if (number < 1) throw invalid('its number counts from 1');
  if (sequences < 1) throw invalid('its batch is empty');
  if (rank < 1 || rank > ranked) throw invalid(`nobody has rank ${rank} of ${ranked}`);
  if (!MODEL_ID.test(campaign)) throw invalid('its campaign’s name is not one');
}

function invalid(reason: string): AiloError {
  return AiloError.of('RECEIPT_INVALID', { reason });
}
