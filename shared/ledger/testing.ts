/** What the ledger's tests share: a network with known keys, and a ledger in memory that is driven entry by entry. */
import { sha256 } from '@noble/hashes/sha2.js';
import { SIGNATURE_BYTES } from '../wallet/public-key.ts';
import { SigningKey, Wallet } from '../wallet/wallet.ts';
import { applyEntry } from './apply.ts';
import { ZERO_HASH } from './binary.ts';
import { type Cosignature, encodeCosignature } from './cosignature.ts';
import {
  decodeEntry,
  encodeReceiptEntry,
  encodeReportEntry,
  encodeSignedEntry,
  encodeTransactionEntry,
} from './entry.ts';
import { defaultGenesis, type Genesis } from './genesis.ts';
import type { LogView } from './log-view.ts';
import { CompactRange, hashLeaf } from './merkle.ts';
import { type Network, networkOf } from './network.ts';
import type { InferenceReceipt } from './receipt.ts';
import { encodeRegistration, type Registration } from './registration.ts';
import { encodeReport, type Report } from './report.ts';
import { LedgerState } from './state.ts';
import type { TrainingReceipt } from './training-receipt.ts';
import { encodeTransaction, type SignedTransaction, type Transaction } from './transaction.ts';

export const START_MS = Date.UTC(2026, 0, 1);
export const networkKey = new SigningKey(new Uint8Array(32).fill(200));
export const wallets = Array.from({ length: 14 }, (_, i) => new Wallet(new Uint8Array(32).fill(i + 1)));

/** The log's prefixes, computed the plain way and with no end to how far back. */
export class PlainLog implements LogView {
  readonly #leaves: Uint8Array[] = [];

  get size(): number {
    return this.#leaves.length;
  }

  append(entry: Uint8Array): void {
    this.#leaves.push(hashLeaf(entry));
  }

  rootAt(size: number): Uint8Array | undefined {
    if (size > this.size) return undefined;
    const range = new CompactRange();
    for (const leaf of this.#leaves.slice(0, size)) range.append(leaf);
    return range.root();
  }
}

export class TestLedger {
  readonly network: Network;
  readonly state: LedgerState;
  readonly log: Uint8Array[] = [];
  readonly view = new PlainLog();
  timeMs = START_MS;

  constructor(adjust: (genesis: Genesis) => Genesis = (genesis) => genesis) {
    const genesis = adjust(defaultGenesis(networkKey.publicKey, 'test', START_MS));
    this.network = networkOf(genesis);
    this.state = LedgerState.empty(genesis);
  }

  add(entry: Uint8Array): void {
    this.state.commit(applyEntry(this.network, this.state, this.view, decodeEntry(entry)));
    this.log.push(entry);
    this.view.append(entry);
  }

  place(signed: SignedTransaction): void {
    this.add(encodeTransactionEntry(this.timeMs, signed));
  }

  /** A receipt that pays wallets 1 and 2 for wallet 0's request, unless changed. */
  receipt(change: Partial<InferenceReceipt> = {}): InferenceReceipt {
    const requester = change.requester ?? wallets[0]!.publicKey;
    return {
      job: new Uint8Array(16).fill(this.log.length),
      requester,
      number: (this.state.account(requester)?.receipts ?? 0) + 1,
      timeMs: this.timeMs,
      tokens: 200,
      latencyMs: 5000,
      finish: 'length',
      model: 'stories260k',
      participants: [1, 2].map((i) => ({ publicKey: wallets[i]!.publicKey, start: 6 * i - 6, end: 6 * i })),
      ...change,
    };
  }

  /** A receipt for wallet 4's update, the second best of three, unless changed. */
  trainingReceipt(change: Partial<TrainingReceipt> = {}): TrainingReceipt {
    const wallet = change.wallet ?? wallets[4]!.publicKey;
    return {
      unit: new Uint8Array(16).fill(this.log.length),
      wallet,
      number: (this.state.account(wallet)?.trainings ?? 0) + 1,
      timeMs: this.timeMs,
      round: 1,
      sequences: 8,
      rank: 2,
      ranked: 3,
      lossBeforeMicroNats: 1_930_000,
      lossAfterMicroNats: 1_910_000,
      latencyMs: 600_000,
      campaign: 'nano-char',
      ...change,
    };
  }

  /** The reward that is due next. */
  reward(change: Partial<Transaction> = {}): SignedTransaction {
    const due = this.state.due[0] ?? {
      type: 'inference-reward',
      to: wallets[1]!.publicKey,
      amountMicroAlc: 50_000n,
      reference: ZERO_HASH,
    };
    return unsigned({
      ...due,
      networkId: this.network.id,
      from: networkKey.publicKey,
      feeMicroAlc: 0n,
      nonce: this.state.totals.networkNonce + 1,
      timeMs: this.timeMs,
      memo: '',
      ...change,
    });
  }

  /** Places the receipt and everything it pays. */
  pay(change: Partial<InferenceReceipt> = {}): void {
    this.add(encodeReceiptEntry(this.timeMs, this.receipt(change)));
    while (this.state.due.length > 0) this.place(this.reward());
  }

  /** Places the network's reversal of a transfer. */
  reverse(transfer: SignedTransaction, change: Partial<Transaction> = {}): void {
    const { from: to, amountMicroAlc } = transfer.transaction;
    this.place(this.reward({ type: 'reversal', to, amountMicroAlc, reference: transfer.hash, ...change }));
  }

  register(username: string, wallet: Wallet, change: Partial<Registration> = {}): void {
    const { publicKey } = wallet;
    const number = (this.state.account(publicKey)?.registrations ?? 0) + 1;
    const bytes = encodeRegistration({ networkId: this.network.id, publicKey, number, username, ...change });
    this.add(encodeSignedEntry('registration', this.timeMs, { bytes, signature: NO_SIGNATURE }));
  }

  /** The wallet cosigns everything so far, unless changed. */
  cosign(wallet: Wallet, change: Partial<Cosignature> = {}): void {
    const size = change.size ?? this.view.size;
    const root = this.view.rootAt(size) ?? ZERO_HASH;
    const { publicKey } = wallet;
    const bytes = encodeCosignature({ networkId: this.network.id, publicKey, size, root, ...change });
    this.add(encodeSignedEntry('cosignature', this.timeMs, { bytes, signature: NO_SIGNATURE }));
  }

  /** The wallet reports the transfer; the first report needs the wallets that are active. */
  report(
    wallet: Wallet,
    transfer: SignedTransaction,
    active: readonly Wallet[] = [],
    change: Partial<Report> = {},
  ): void {
    const { publicKey } = wallet;
    const report = { networkId: this.network.id, publicKey, transfer: transfer.hash, reason: 'not mine', ...change };
    const places = active.map((each) => this.state.placeOf(each.publicKey) ?? 2 ** 32 - 1).sort((a, b) => a - b);
    this.add(encodeReportEntry(this.timeMs, { bytes: encodeReport(report), signature: NO_SIGNATURE }, places));
  }

  /** A valid transfer of 0.01 ALC from wallet 1 to wallet 3, unless changed. */
  transfer(change: Partial<Transaction> = {}, sender: Wallet = wallets[1]!): SignedTransaction {
    const from = change.from ?? sender.publicKey;
    return unsigned({
      networkId: this.network.id,
      type: 'transfer',
      from,
      to: wallets[3]!.publicKey,
      amountMicroAlc: 10_000n,
      feeMicroAlc: 10_000n,
      nonce: (this.state.account(from)?.nonce ?? 0) + 1,
      timeMs: this.timeMs,
      reference: ZERO_HASH,
      memo: '',
      ...change,
    });
  }
}

const NO_SIGNATURE = new Uint8Array(SIGNATURE_BYTES);

/** Rules don't read signatures, and thousands of them would be most of the tests' time. */
function unsigned(transaction: Transaction): SignedTransaction {
  const bytes = encodeTransaction(transaction);
  return { transaction, bytes, signature: NO_SIGNATURE, hash: sha256(bytes) };
}
