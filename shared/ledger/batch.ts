/** A batch: the next entries of the log, what they change, and the checkpoint that seals them. In memory only. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { applyEntry } from './apply.ts';
import { type Checkpoint, encodeCheckpoint } from './checkpoint.ts';
import { decodeEntry, type Entry } from './entry.ts';
import type { LogTree } from './log-tree.ts';
import { hashLeaf } from './merkle.ts';
import type { Network } from './network.ts';
import type { Account, Dispute, Transfer } from './records.ts';
import type { LedgerState } from './state.ts';

/** The log's end: the state there and the tree over everything before. Only a `Batch` moves it. */
export interface Tip {
  state: LedgerState;
  log: LogTree;
}

export interface PlacedEntry {
  position: number;
  bytes: Uint8Array;
  entry: Entry;
}

/** Records as they are after the batch, by their places in the order of first appearance. */
export interface ChangedRecords {
  accounts: Map<number, Account>;
  transfers: Map<number, Transfer>;
  disputes: Map<number, Dispute>;
}

export class Batch {
  readonly start: number;
  readonly network: Network;
  readonly changed: ChangedRecords = { accounts: new Map(), transfers: new Map(), disputes: new Map() };
  readonly #tip: Tip;
  readonly #entries: PlacedEntry[] = [];
  /** Places of this batch's receipts, by hex of their job or work unit. */
  readonly #receipts = new Map<string, number>();

  /** Begins at `tip` and moves it with every entry; a batch that is not committed leaves `tip` useless. */
  constructor(network: Network, tip: Tip) {
    this.network = network;
    this.#tip = tip;
    this.start = tip.log.size;
  }

  get entries(): readonly PlacedEntry[] {
    return this.#entries;
  }

  get tip(): Readonly<Tip> {
    return this.#tip;
  }

  /** Where in the log this batch places the receipt of the job or work unit (hex), if it does. */
  receiptOf(work: string): number | undefined {
    return this.#receipts.get(work);
  }

  /**
   * Places an entry, decoded already where the caller needed that. Checks no signature. Throws the error of the rule it
   * breaks, having changed nothing.
   */
  add(bytes: Uint8Array, entry: Entry = decodeEntry(bytes)): PlacedEntry {
    const { state, log } = this.#tip;
    const { accounts = [], transfers = [], disputes = [], ...change } = applyEntry(this.network, state, log, entry);
    state.commit({ accounts, transfers, disputes, ...change });
    const placed = { position: log.size, bytes, entry };
    log.append(hashLeaf(bytes));
    this.#entries.push(placed);
    const work = workOf(entry);
    if (work !== undefined) this.#receipts.set(work, placed.position);
    for (const account of accounts) this.changed.accounts.set(state.placeOf(account.publicKey)!, account);
    for (const transfer of transfers) this.changed.transfers.set(state.placeOfTransfer(transfer.hash)!, transfer);
    for (const dispute of disputes) this.changed.disputes.set(state.placeOfDispute(dispute.transfer)!, dispute);
    return placed;
  }

  /** The checkpoint after the last entry; canonical bytes, to be signed. */
  checkpointBytes(): Uint8Array {
    return encodeCheckpoint(checkpointAt(this.network, this.#tip));
  }
}

/** What a receipt is about, hex: its job or its work unit. Both are 128 random bits. */
export function workOf(entry: Entry): string | undefined {
  if (entry.kind === 'receipt') return bytesToHex(entry.receipt.job);
  if (entry.kind === 'training-receipt') return bytesToHex(entry.receipt.unit);
  return undefined;
}

export function checkpointAt(network: Network, { state, log }: Readonly<Tip>): Checkpoint {
  return {
    networkId: network.id,
    size: log.size,
    root: log.root(),
    stateHash: state.hash(),
    timeMs: state.totals.timeMs,
  };
}
