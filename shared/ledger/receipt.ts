/**
 * Receipts: what was done for a reward, public, so that anybody can recompute the amount. A receipt stands in the log
 * itself, directly before the rewards that name its hash; without it a replay could not check them.
 *
 *     "ailo/receipt/inference/v1\0"  job (16)  requester (32)  number (8)  time in ms (8)  tokens (4)  latency in ms (4)
 *     finish (1)  model length (1)  model  participants (2)  participants × [public key (32)  start (4)  end (4)]
 *
 * Little-endian. A training receipt will be another domain beside this one.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../bytes/sha256-sync.ts';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES } from '../wallet/public-key.ts';
import { domain, RecordReader, RecordWriter } from './binary.ts';
import { MAX_PARTICIPANTS, MODEL_ID } from './limits.ts';

export const JOB_BYTES = 16;
const FINISHES = ['stop', 'length'] as const;

export interface InferenceReceipt {
  /** 128 random bits. */
  job: Uint8Array;
  /** Public key of who asked. */
  requester: Uint8Array;
  /** Counts the requester's paid inferences from 1, as a nonce does: a receipt cannot be paid again. */
  number: number;
  /** When it completed, Unix time. */
  timeMs: number;
  /** Tokens produced. */
  tokens: number;
  /** From the request's acceptance to its last token. */
  latencyMs: number;
  /** `stop`: the model ended by itself; `length`: it was cut off. */
  finish: (typeof FINISHES)[number];
  model: string;
  /** Who computed which placement units [start, end), in the order of the stages. */
  participants: Participant[];
}

export interface Participant {
  publicKey: Uint8Array;
  start: number;
  end: number;
}

const DOMAIN = domain('receipt/inference');

/** Throws RECEIPT_INVALID for what cannot be a receipt. */
export function encodeReceipt(receipt: InferenceReceipt): Uint8Array {
  check(receipt);
  try {
    const writer = new RecordWriter()
      .bytes(DOMAIN)
      .fixed(receipt.job, JOB_BYTES)
      .fixed(receipt.requester, PUBLIC_KEY_BYTES)
      .safe(receipt.number)
      .safe(receipt.timeMs)
      .u32(receipt.tokens)
      .u32(receipt.latencyMs)
      .u8(FINISHES.indexOf(receipt.finish) + 1)
      .u8(receipt.model.length)
      .bytes(utf8ToBytes(receipt.model))
      .u16(receipt.participants.length);
    for (const { publicKey, start, end } of receipt.participants) {
      writer.fixed(publicKey, PUBLIC_KEY_BYTES).u32(start).u32(end);
    }
    return writer.finish();
  } catch (error) {
    throw error instanceof RangeError ? invalid(error.message) : error;
  }
}

/** Throws RECEIPT_INVALID for anything that `encodeReceipt` could not have written. */
export function decodeReceipt(bytes: Uint8Array): InferenceReceipt {
  const reader = new RecordReader(bytes, invalid);
  reader.domain(DOMAIN);
  const head = {
    job: reader.fixed(JOB_BYTES),
    requester: reader.fixed(PUBLIC_KEY_BYTES),
    number: reader.safe(),
    timeMs: reader.safe(),
    tokens: reader.u32(),
    latencyMs: reader.u32(),
  };
  const finish = FINISHES[reader.u8() - 1];
  if (finish === undefined) throw invalid('how it finished is unknown');
  const model = String.fromCharCode(...reader.bytes(reader.u8()));
  const count = reader.u16();
  if (count > MAX_PARTICIPANTS) throw invalid(`it has more than ${MAX_PARTICIPANTS} participants`);
  const participants: Participant[] = [];
  for (let i = 0; i < count; i++) {
    participants.push({ publicKey: reader.fixed(PUBLIC_KEY_BYTES), start: reader.u32(), end: reader.u32() });
  }
  reader.end();
  const receipt = { ...head, finish, model, participants };
  check(receipt);
  return receipt;
}

/** The 32 bytes by which a receipt's rewards name it. */
export function receiptHash(receiptBytes: Uint8Array): Uint8Array {
  return sha256(receiptBytes);
}

function check({ number, model, participants }: InferenceReceipt): void {
  if (number < 1) throw invalid('its number counts from 1');
  if (!MODEL_ID.test(model)) throw invalid('its model’s name is not one');
  if (participants.length < 1 || participants.length > MAX_PARTICIPANTS) {
    throw invalid(`it has ${participants.length} participants, not 1 to ${MAX_PARTICIPANTS}`);
  }
  if (participants.some(({ start, end }) => start >= end)) throw invalid('a participant computed nothing');
}

function invalid(reason: string): AiloError {
  return AiloError.of('RECEIPT_INVALID', { reason });
}
