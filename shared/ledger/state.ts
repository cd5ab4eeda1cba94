/**
 * The ledger's state: what its entries, applied in order, lead to.
 *
 * The state hash is `SHA-256("ailo/state/v1\0" ‖ for accounts, transfers and disputes each: how many (8) ‖ their root
 * (32) ‖ totals)`. Each kind is a Merkle tree over its records in the order of first appearance in the log, which every
 * replay shares and in which nothing ever moves; so an entry costs the hashes above the records it changed, and one
 * account can be shown to somebody who knows nothing but a checkpoint. (A hash over all records, sorted, would cost the
 * whole state for every checkpoint; a chained hash of changes could be shown to nobody.)
 */
import { sha256 } from '../bytes/sha256-sync.ts';
import { AiloError } from '../errors/index.ts';
import { domain, RecordWriter } from './binary.ts';
import type { Genesis } from './genesis.ts';
import { MAX_MICRO_ALC } from './limits.ts';
import { OpenTransfers } from './open-transfers.ts';
import { RecordTable } from './record-table.ts';
import {
  type Account,
  type Dispute,
  decodeTransfer,
  encodeAccount,
  encodeDispute,
  encodeTotals,
  encodeTransfer,
  peekTransfer,
  type Totals,
  type Transfer,
} from './records.ts';
import { FULL_RATE_PPM } from './rewards.ts';

const DOMAIN = domain('state');

/** A reward that the receipt before it makes the next entries be. */
export interface DueReward {
  type: 'inference-reward' | 'training-reward';
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
  /** By its place in the order of first appearance. */
  accountAt(place: number): Readonly<Account> | undefined;
  /** Undefined for an account that does not exist. */
  placeOf(publicKey: Uint8Array): number | undefined;
  /** Whose username it is. */
  ownerOf(username: string): Readonly<Account> | undefined;
  transfer(hash: Uint8Array): Readonly<Transfer> | undefined;
  /** Transfers that wait for verifications, of the log's entries from `index` on, in the order of the log. */
  unconfirmed(index: number): Iterable<Readonly<Transfer>>;
  dispute(transfer: Uint8Array): Readonly<Dispute> | undefined;
}

/** What applying an entry changes: whole records, to be put in the place of the old ones. */
export interface Change {
  accounts?: Account[];
  transfers?: Transfer[];
  disputes?: Dispute[];
  totals: Totals;
  due?: DueReward[];
}

/** All that a state consists of, each list in the order of first appearance. */
export interface Records {
  totals: Totals;
  accounts: Account[];
  transfers: Transfer[];
  disputes: Dispute[];
}

export class LedgerState implements StateView {
  #totals: Totals;
  #due: readonly DueReward[] = [];
  /** Only `commit` changes these. */
  readonly #accounts = new RecordTable<Account>(({ publicKey }) => publicKey, encodeAccount);
  readonly #transfers = new RecordTable<Transfer>(({ hash }) => hash, encodeTransfer);
  readonly #disputes = new RecordTable<Dispute>(({ transfer }) => transfer, encodeDispute);
  /** Public keys by username. */
  readonly #usernames = new Map<string, Uint8Array>();
  readonly #unconfirmed = new OpenTransfers();
  /** Places of the transfers that wait for their reversal. */
  readonly #disputed = new Set<number>();
  /** Places of transfers older than the report window that are not final, and of the first that is younger. */
  #oldTransfers: number[] = [];
  #firstNew = 0;
  /** Σ available + Σ pending, kept along so that the invariant costs nothing to assert. */
  #heldMicroAlc = 0n;

  /** Throws SUPPLY_BROKEN if the records don't add up. */
  constructor(records: Partial<Records> & Pick<Change, 'totals' | 'due'>) {
    this.#totals = records.totals;
    this.commit(records);
  }

  static empty(genesis: Genesis): LedgerState {
    return new LedgerState({
      totals: {
        mintedMicroAlc: 0n,
        burnedMicroAlc: 0n,
        treasuryMicroAlc: 0n,
        networkNonce: 0,
        timeMs: genesis.timeMs,
        epoch: 0,
        epochMintedMicroAlc: 0n,
        epochEarners: 0,
        epochRatePpm: FULL_RATE_PPM,
      },
    });
  }

  get totals(): Readonly<Totals> {
    return this.#totals;
  }

  get due(): readonly DueReward[] {
    return this.#due;
  }

  account(publicKey: Uint8Array): Readonly<Account> | undefined {
    return this.#accounts.get(publicKey);
  }

  accountAt(place: number): Readonly<Account> | undefined {
    return this.#accounts.at(place);
  }

  placeOf(publicKey: Uint8Array): number | undefined {
    return this.#accounts.placeOf(publicKey);
  }

  ownerOf(username: string): Readonly<Account> | undefined {
    const owner = this.#usernames.get(username);
    return owner && this.account(owner);
  }

  transfer(hash: Uint8Array): Readonly<Transfer> | undefined {
    return this.#transfers.get(hash);
  }

  /** The transfer's place in the order of appearance. */
  placeOfTransfer(hash: Uint8Array): number | undefined {
    return this.#transfers.placeOf(hash);
  }

  *unconfirmed(index: number): Generator<Readonly<Transfer>> {
    for (const place of this.#unconfirmed.from(index)) yield this.#transfers.at(place)!;
  }

  dispute(transfer: Uint8Array): Readonly<Dispute> | undefined {
    return this.#disputes.get(transfer);
  }

  /** Disputes that were decided and wait for their reversal, in the order in which they were. */
  *disputed(): Generator<Readonly<Dispute>> {
    for (const place of this.#disputed) yield this.#disputes.get(this.#transfers.at(place)!.hash)!;
  }

  placeOfDispute(transfer: Uint8Array): number | undefined {
    return this.#disputes.placeOf(transfer);
  }

  /** Accounts, transfers and disputes. */
  counts(): [accounts: number, transfers: number, disputes: number] {
    return [this.#accounts.size, this.#transfers.size, this.#disputes.size];
  }

  /** Without what was forgotten. */
  records(): Records {
    return {
      totals: this.#totals,
      accounts: this.#accounts.values(),
      transfers: this.#transfers.values(),
      disputes: this.#disputes.values(),
    };
  }

  /** Puts a change in place. Throws SUPPLY_BROKEN, which no sequence of valid entries can cause. */
  commit({ accounts = [], transfers = [], disputes = [], totals, due = [] }: Change): void {
    for (const account of accounts) this.#putAccount(account);
    for (const transfer of transfers) this.#putTransfer(transfer);
    for (const dispute of disputes) this.#disputes.put(dispute);
    this.#totals = totals;
    this.#due = due;
    this.#assertSupply();
  }

  /**
   * Drops transfers that no rule reads any more: reversed, or confirmed and older than the report window. They keep
   * their places and what they add to the hash; `transfer` does not find them then.
   */
  forgetFinal({ transfer: { reportWindowMs } }: Genesis): void {
    const kept: number[] = [];
    const look = (place: number): void => {
      const transfer = this.#transfers.at(place);
      if (transfer && this.#isFinal(transfer, reportWindowMs)) this.#transfers.forget(place);
      else if (transfer) kept.push(place);
    };
    for (const place of this.#oldTransfers) look(place);
    for (; this.#firstNew < this.#transfers.size; this.#firstNew++) {
      const transfer = this.#transfers.at(this.#firstNew);
      if (transfer && transfer.timeMs + reportWindowMs >= this.#totals.timeMs) break;
      look(this.#firstNew);
    }
    this.#oldTransfers = kept;
  }

  /**
   * Appends transfers from their canonical bytes, in their order, without those that `forgetFinal` would drop. Throws
   * LEDGER_RECORD_INVALID.
   */
  restoreTransfers({ transfer: { reportWindowMs } }: Genesis, records: Iterable<Uint8Array>): void {
    for (const bytes of records) {
      const peeked = peekTransfer(bytes);
      const transfer = this.#isFinal(peeked, reportWindowMs) ? undefined : decodeTransfer(bytes);
      const place = this.#transfers.size;
      if (isUnconfirmed(transfer)) this.#unconfirmed.add(place, transfer.index);
      if (transfer?.trouble === 'disputed') this.#disputed.add(place);
      this.#transfers.restore(peeked.hash, bytes, transfer);
    }
  }

  #isFinal(
    { confirmed, trouble, timeMs }: Pick<Transfer, 'confirmed' | 'trouble' | 'timeMs'>,
    reportWindowMs: number,
  ): boolean {
    if (trouble === 'reversed') return true;
    return confirmed && trouble !== 'disputed' && timeMs + reportWindowMs < this.#totals.timeMs;
  }

  hash(): Uint8Array {
    const record = new RecordWriter().bytes(DOMAIN);
    for (const table of [this.#accounts, this.#transfers, this.#disputes]) record.safe(table.size).bytes(table.root());
    return sha256(record.bytes(encodeTotals(this.#totals)).finish());
  }

  #putAccount(account: Account): void {
    const old = this.#accounts.put(account);
    this.#heldMicroAlc += held(account) - (old ? held(old) : 0n);
    if (old?.username === account.username) return;
    if (old?.username) this.#usernames.delete(old.username);
    if (account.username) this.#usernames.set(account.username, account.publicKey);
  }

  #putTransfer(transfer: Transfer): void {
    const old = this.#transfers.put(transfer);
    const [wasOpen, isOpen] = [isUnconfirmed(old), isUnconfirmed(transfer)];
    if (wasOpen === isOpen && old?.trouble === transfer.trouble) return;
    const place = this.#transfers.placeOf(transfer.hash)!;
    if (wasOpen && !isOpen) this.#unconfirmed.delete(place);
    if (isOpen && !wasOpen) this.#unconfirmed.add(place, transfer.index);
    if (transfer.trouble === 'disputed') this.#disputed.add(place);
    else this.#disputed.delete(place);
  }

  #assertSupply(): void {
    const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = this.#totals;
    const difference = mintedMicroAlc - burnedMicroAlc - treasuryMicroAlc - this.#heldMicroAlc;
    if (difference !== 0n) throw AiloError.of('SUPPLY_BROKEN', { reason: `${difference} µALC are missing` });
    if (mintedMicroAlc > MAX_MICRO_ALC) throw AiloError.of('SUPPLY_BROKEN', { reason: 'more was minted than may be' });
  }
}

function held({ availableMicroAlc, pendingMicroAlc }: Account): bigint {
  return availableMicroAlc + pendingMicroAlc;
}

/** Once it is not, it never is again. */
function isUnconfirmed(transfer: Transfer | undefined): transfer is Transfer {
  return (
    transfer !== undefined && !transfer.confirmed && (transfer.trouble === 'none' || transfer.trouble === 'reported')
  );
}
