/** A batch: the next entries of the log, what they change, and the checkpoint that will seal them. In memory only. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { applyEntry } from '../../shared/ledger/apply.ts';
import { type Checkpoint, encodeCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { decodeEntry, type Entry } from '../../shared/ledger/entry.ts';
import { type CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import type { Network } from '../../shared/ledger/network.ts';
import type { Account, Transfer } from '../../shared/ledger/records.ts';
import type { LedgerState } from '../../shared/ledger/state.ts';

/** The log's end: the state there and the tree over everything before. Only a `Batch` moves it. */
export interface Tip {
  state: LedgerState;
  range: CompactRange;
}

export interface PlacedEntry {
  position: number;
  bytes: Uint8Array;
  entry: Entry;
}

export class Batch {
  readonly start: number;
  readonly network: Network;
  readonly #tip: Tip;
  readonly #entries: PlacedEntry[] = [];
  readonly #accounts = new Map<string, Account>();
  readonly #transfers = new Map<string, Transfer>();
  /** Places of this batch's receipts, by hex of their job. */
  readonly #receipts = new Map<string, number>();

  /** Begins at `tip` and moves it with every entry; a batch that is not committed leaves `tip` useless. */
  constructor(network: Network, tip: Tip) {
    this.network = network;
    this.#tip = tip;
    this.start = tip.range.size;
  }

  get entries(): readonly PlacedEntry[] {
    return this.#entries;
  }

  get tip(): Readonly<Tip> {
    return this.#tip;
  }

  /** Records as they are after the batch. */
  get changedAccounts(): Account[] {
    return [...this.#accounts.values()];
  }

  get changedTransfers(): Transfer[] {
    return [...this.#transfers.values()];
  }

  /** Where in the log this batch places the job's receipt, if it does. */
  receiptOf(job: string): number | undefined {
    return this.#receipts.get(job);
  }

  /** Places an entry. Throws the error of the rule it breaks, having changed nothing. */
  add(bytes: Uint8Array): PlacedEntry {
    const entry = decodeEntry(bytes);
    const change = applyEntry(this.network, this.#tip.state, entry);
    this.#tip.state.commit(change);
    const placed = { position: this.#tip.range.size, bytes, entry };
    this.#tip.range.append(hashLeaf(bytes));
    this.#entries.push(placed);
    if (entry.kind === 'receipt') this.#receipts.set(bytesToHex(entry.receipt.job), placed.position);
    for (const account of change.accounts) this.#accounts.set(bytesToHex(account.publicKey), account);
    for (const transfer of change.transfers) this.#transfers.set(bytesToHex(transfer.hash), transfer);
    return placed;
  }

  /** The checkpoint after the last entry; canonical bytes, to be signed. */
  checkpointBytes(): Uint8Array {
    return encodeCheckpoint(checkpointAt(this.network, this.#tip));
  }
}

export function checkpointAt(network: Network, { state, range }: Readonly<Tip>): Checkpoint {
  return {
    networkId: network.id,
    size: range.size,
    root: range.root(),
    stateHash: state.hash(),
    timeMs: state.totals.timeMs,
  };
}
