/**
 * The ledger's state: what its entries, applied in order, lead to.
 *
 * The state hash is `SHA-256("ailo/state/v1\0" ‖ accounts (8) ‖ accounts' root (32) ‖ transfers (8) ‖ transfers' root
 * (32) ‖ totals)`. Accounts and transfers are Merkle trees over their records in the order of first appearance in the
 * log, which every replay shares and in which nothing ever moves; so an entry costs the hashes above the records it
 * changed, and one account can be shown to somebody who knows nothing but a checkpoint. (A hash over all records,
 * sorted, would cost the whole state for every checkpoint; a chained hash of changes could be shown to nobody.)
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { domain, RecordWriter } from './binary.ts';
import type { Genesis } from './genesis.ts';
import { MAX_MICRO_ALC } from './limits.ts';
import { RecordTree } from './record-tree.ts';
import { type Account, encodeAccount, encodeTotals, encodeTransfer, type Totals, type Transfer } from './records.ts';
import { FULL_RATE_PPM } from './rewards.ts';

const DOMAIN = domain('state');

/** A reward that the receipt before it makes the next entries be. */
export interface DueReward {
  to: Uint8Array;
  amountMicroAlc: bigint;
  /** The receipt's hash. */
  reference: Uint8Array;
}

/** The state as rules read it. */
export interface StateView {
  readonly totals: Readonly<Totals>;
  /** Rewards still to come for the receipt that was applied last. A checkpoint is never sealed before they came. */
  readonly due: readonly DueReward[];
  account(publicKey: Uint8Array): Readonly<Account> | undefined;
  transfer(hash: Uint8Array): Readonly<Transfer> | undefined;
}

/** What applying an entry changes: whole records, to be put in the place of the old ones. */
export interface Change {
  accounts: Account[];
  transfers: Transfer[];
  totals: Totals;
  due: DueReward[];
}

export interface Placed<T> {
  position: number;
  value: T;
}

export class LedgerState implements StateView {
  #totals: Totals;
  #due: readonly DueReward[] = [];
  /** By hex of public key and hash. Only `commit` changes them. */
  readonly #accounts = new Map<string, Placed<Account>>();
  readonly #transfers = new Map<string, Placed<Transfer>>();
  readonly #accountTree = new RecordTree();
  readonly #transferTree = new RecordTree();
  /** Σ available + Σ pending, kept along so that the invariant costs nothing to assert. */
  #heldMicroAlc = 0n;

  /** The state of `totals`, `accounts` and `transfers`, each in its order. Throws SUPPLY_BROKEN if they don't add up. */
  constructor(totals: Totals, accounts: Iterable<Account> = [], transfers: Iterable<Transfer> = []) {
    this.#totals = totals;
    this.commit({ accounts: [...accounts], transfers: [...transfers], totals, due: [] });
  }

  static empty(genesis: Genesis): LedgerState {
    return new LedgerState({
      mintedMicroAlc: 0n,
      burnedMicroAlc: 0n,
      treasuryMicroAlc: 0n,
      networkNonce: 0,
      timeMs: genesis.timeMs,
      epoch: 0,
      epochMintedMicroAlc: 0n,
      epochEarners: 0,
      epochRatePpm: FULL_RATE_PPM,
    });
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  get due(): readonly DueReward[] {
    return this.#due;
  }

  account(publicKey: Uint8Array): Readonly<Account> | undefined {
    return this.#accounts.get(bytesToHex(publicKey))?.value;
  }

  transfer(hash: Uint8Array): Readonly<Transfer> | undefined {
    return this.#transfers.get(bytesToHex(hash))?.value;
  }

  /** In the order of first appearance. */
  accounts(): Account[] {
    return [...this.#accounts.values()].map(({ value }) => value);
  }

  /** In the order of appearance. */
  transfers(): Transfer[] {
    return [...this.#transfers.values()].map(({ value }) => value);
  }

  /** Where the account stands in the order of first appearance. RangeError for one that does not exist. */
  positionOf(publicKey: Uint8Array): number {
    return position(this.#accounts, publicKey);
  }

  positionOfTransfer(hash: Uint8Array): number {
    return position(this.#transfers, hash);
  }

  /** Puts a change in place. Throws SUPPLY_BROKEN, which no sequence of valid entries can cause. */
  commit(change: Change): void {
    for (const account of change.accounts) {
      const key = bytesToHex(account.publicKey);
      const old = this.#accounts.get(key);
      const position = old?.position ?? this.#accounts.size;
      this.#heldMicroAlc += held(account) - (old ? held(old.value) : 0n);
      this.#accounts.set(key, { position, value: account });
      this.#accountTree.set(position, encodeAccount(account));
    }
    for (const transfer of change.transfers) {
      const key = bytesToHex(transfer.hash);
      const position = this.#transfers.get(key)?.position ?? this.#transfers.size;
      this.#transfers.set(key, { position, value: transfer });
      this.#transferTree.set(position, encodeTransfer(transfer));
    }
    this.#totals = change.totals;
    this.#due = change.due;
    this.#assertSupply();
  }

  hash(): Uint8Array {
    const record = new RecordWriter()
      .bytes(DOMAIN)
      .safe(this.#accountTree.size)
      .bytes(this.#accountTree.root())
      .safe(this.#transferTree.size)
      .bytes(this.#transferTree.root())
      .bytes(encodeTotals(this.#totals));
    return sha256(record.finish());
  }

  #assertSupply(): void {
    const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = this.#totals;
    const difference = mintedMicroAlc - burnedMicroAlc - treasuryMicroAlc - this.#heldMicroAlc;
    if (difference !== 0n) throw AiloError.of('SUPPLY_BROKEN', { reason: `${difference} µALC are missing` });
    if (mintedMicroAlc > MAX_MICRO_ALC) throw AiloError.of('SUPPLY_BROKEN', { reason: 'more was minted than may be' });
  }
}

function position<T>(records: Map<string, Placed<T>>, key: Uint8Array): number {
  const record = records.get(bytesToHex(key));
  if (!record) throw new RangeError('there is no such record');
  return record.position;
}

function held({ availableMicroAlc, pendingMicroAlc }: Account): bigint {
  return availableMicroAlc + pendingMicroAlc;
}
