/** The ledger as the rest of the coordinator sees it. */
import type * as v from 'valibot';
import type { AiloError } from '../../shared/errors/index.ts';
import type { Checkpoint, Seal } from '../../shared/ledger/checkpoint.ts';
import type { TrainingReceipt } from '../../shared/ledger/training-receipt.ts';
import type { Submission, TransactionRecord, TransactionResponse } from '../../shared/protocol/http.ts';
import type { AccountSummary } from '../../shared/protocol/messages.ts';

/** A completed inference, as the room saw it. The same result always makes the same receipt. */
export interface InferenceResult {
  /** 128 bits, hex. A job is paid at most once. */
  job: string;
  model: string;
  /** Address of who asked. Never paid from it. */
  requester: string;
  /** Who computed, in the order of the stages; addresses that have authenticated. */
  participants: { address: string; start: number; end: number }[];
  /** Tokens produced. */
  tokens: number;
  latencyMs: number;
  /** `stop`: the model ended by itself. */
  finish: 'stop' | 'length';
  /** When it completed, Unix time. */
  timeMs: number;
}

export interface MintOutcome {
  /** One for each wallet that was paid; empty where the result earns nothing. */
  transactions: TransactionRecord[];
  /** Why it earns nothing: RECEIPT_TOO_SHORT, RECEIPT_OVER_QUOTA or RECEIPT_NOBODY_TO_PAY. */
  unpaid?: AiloError;
}

/** An update that was validated. The same result always makes the same receipt. */
export interface TrainingResult extends Omit<TrainingReceipt, 'unit' | 'wallet' | 'number'> {
  /** 128 bits, hex. A work unit is paid at most once. */
  unit: string;
  /** Address of who trained. */
  wallet: string;
}

/** JSON of a receipt; `number` counts the requester's paid inferences, or the wallet's paid work units, from 1. */
export type ReceiptRecord = InferenceReceiptRecord | TrainingReceiptRecord;
export interface InferenceReceiptRecord extends InferenceResult {
  kind: 'inference';
  hash: string;
  number: number;
}
export interface TrainingReceiptRecord extends TrainingResult {
  kind: 'training';
  hash: string;
  number: number;
}

export interface Ledger {
  /**
   * Pays for an inference, durably: when this resolves, the rewards are sealed in a checkpoint. Calling it again with
   * the same result changes nothing and gives the same transactions. Rejects with RECEIPT_INVALID, RECEIPT_CONFLICT
   * (the job was already paid for another result), LEDGER_BUSY, LEDGER_CLOSED, LEDGER_FAILED (try again).
   */
  mintInference(result: InferenceResult): Promise<MintOutcome>;
  /** The same for a work unit of training. */
  mintTraining(result: TrainingResult): Promise<MintOutcome>;
  /**
   * Places what a wallet signed (`bytes ‖ signature`), durably: when this resolves, it is sealed in a checkpoint. The
   * same submission gives the same place again, however often. Rejects with the error of its format, PUBLIC_KEY_INVALID,
   * SIGNATURE_INVALID, the error of the rule it breaks, LEDGER_BUSY, LEDGER_CLOSED, LEDGER_FAILED (try again).
   *
   * @param admit called with the signer's public key once the signature proved good; what it throws refuses
   */
  submit(
    kind: Submission['kind'],
    signed: Uint8Array,
    admit?: (publicKey: Uint8Array) => void,
  ): Promise<{ index: number }>;
  /** A wallet without history has an account of zeros. */
  account(address: string): Promise<AccountSummary>;
  /** The wallet's history, newest first, at most `limit` of those placed before `before` in the log. */
  transactions(
    address: string,
    page: { before?: number | undefined; limit: number },
  ): Promise<{ transactions: TransactionRecord[]; next?: number }>;
  usernameOf(address: string): Promise<string | undefined>;
  /** Address of the wallet that has the username. */
  ownerOf(username: string): Promise<string | undefined>;
  /** By its hash, with the proof that it stands in the log. */
  transaction(hash: string): Promise<v.InferInput<typeof TransactionResponse> | undefined>;
  /** By the hash that rewards carry as their reference. */
  receipt(hash: string): Promise<ReceiptRecord | undefined>;
  /** The newest checkpoint and the network key's signature over it. */
  checkpoint(): Promise<{ checkpoint: Checkpoint; seal: Seal }>;
  /** The first `width` entries of a tile, encoded; undefined where the newest checkpoint does not cover them. */
  tile(index: number, width: number): Promise<Uint8Array | undefined>;
  /** RFC 6962 consistency proof, 0 < from ≤ to; undefined where the newest checkpoint does not cover `to`. */
  consistency(from: number, to: number): Promise<Uint8Array[] | undefined>;
  /** The log's entries `start` ≤ place < `end`, as far as the newest checkpoint covers them; at most 256. */
  entries(start: number, end: number): Promise<Uint8Array[]>;
  /** Told, after each commit, the addresses whose account or history changed. Returns how to stop. */
  subscribe(listener: (addresses: ReadonlySet<string>) => void): () => void;
  /** Finishes what was accepted, then takes no more. The database stays open: it is the caller's. */
  close(): Promise<void>;
}
