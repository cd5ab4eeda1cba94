/**
 * The copy of the ledger that a store keeps, opened: its state and tree in memory, and what was placed since the last
 * save. An error of the store leaves in doubt what it keeps: open another copy then.
 */
import { Batch, type Tip } from '../ledger/batch.ts';
import type { Entry } from '../ledger/entry.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { decodeTransfer, encodeAccount, encodeDispute, encodeTransfer, type Transfer } from '../ledger/records.ts';
import { encodeTile } from '../ledger/tile.ts';
import type { HashIndex } from './hash-index.ts';
import { encodeHead, type Head, type Mark } from './head.ts';
import { isParty } from './history.ts';
import { PAGE_RECORDS } from './limits.ts';
import { changedPages, corrupt, decodePage, encodePlace, readRecord } from './pages.ts';
import { BEFORE_PARTS, type ReplicaStore, type Row, readRow } from './store.ts';

/** What a copy begins with. */
export interface CopyParts {
  head: Head;
  tip: Tip;
  /** Entries of the last tile, unless that is full. */
  tail: Uint8Array[];
  /** Places in the log of the own wallet's transactions, ascending. */
  history: number[];
  hashes: HashIndex;
  /** `part/index` of the pages that are kept as they were at the last verified checkpoint. */
  keptBefore: Set<string>;
}

export class LedgerCopy {
  readonly #store: ReplicaStore;
  readonly #parts: CopyParts;
  /** Owned by `save`, which begins the next. */
  #batch: Batch;

  constructor(store: ReplicaStore, network: Batch['network'], parts: CopyParts) {
    this.#store = store;
    this.#parts = parts;
    this.#batch = new Batch(network, parts.tip);
  }

  get tip(): Readonly<Tip> {
    return this.#parts.tip;
  }

  get head(): Readonly<Head> {
    return this.#parts.head;
  }

  get history(): readonly number[] {
    return this.#parts.history;
  }

  get hashes(): HashIndex {
    return this.#parts.hashes;
  }

  /** Entries placed since the last save. */
  get unsaved(): number {
    return this.#batch.entries.length;
  }

  /** Places the next entry. Throws the error of the rule it breaks, having changed nothing. Checks no signature. */
  place(bytes: Uint8Array, entry: Entry): void {
    const { position } = this.#batch.add(bytes, entry);
    const signed = entry.kind === 'transaction' ? entry.signed : undefined;
    this.hashes.append(signed?.hash);
    if (signed && isParty(signed.transaction, this.head.owner)) this.#parts.history.push(position);
  }

  /** The transfer, also where no rule reads it any more. */
  async transfer(hash: Uint8Array): Promise<Transfer | undefined> {
    const { state } = this.tip;
    const place = state.placeOfTransfer(hash);
    if (place === undefined) return undefined;
    return state.transfer(hash) ?? decodeTransfer(await readRecord(this.#store, 'transfer', place));
  }

  /** The entry at `position`, which must be one of the log's. */
  async entry(position: number): Promise<Uint8Array> {
    const unsaved = this.#batch.entries[position - this.#batch.start];
    if (unsaved) return unsaved.bytes.slice();
    const tile = await readRow(this.#store, 'tile', Math.floor(position / TILE_ENTRIES));
    if (!tile) throw corrupt(`entry ${position} is missing`);
    return decodePage(tile, (position % TILE_ENTRIES) + 1)
      .at(-1)!
      .slice();
  }

  /**
   * Stores what was placed, whole or not at all: as verified by a checkpoint, or as progress towards one, which keeps the
   * way back.
   */
  async save(verified?: Head['verified']): Promise<void> {
    const { head } = this.#parts;
    const { changed, entries, tip } = this.#batch;
    const now = this.#mark();
    const base = verified ? now : head.base;
    const rows = [
      ...this.#tileRows(),
      ...(await this.#recordRows('account', changed.accounts, encodeAccount, head, verified)),
      ...(await this.#recordRows('transfer', changed.transfers, encodeTransfer, head, verified)),
      ...(await this.#recordRows('dispute', changed.disputes, encodeDispute, head, verified)),
      ...(await this.#historyRows()),
    ];
    const seal = verified ?? head.verified;
    const saved: Head = { owner: head.owner, now, base, ...(seal && { verified: seal }) };
    rows.push({ part: 'head', index: 0, bytes: encodeHead(saved) });
    await this.#store.save(rows, verified ? BEFORE_PARTS : []);
    this.#parts.head = saved;
    for (const { part, index } of rows) this.#parts.keptBefore.add(`${part}/${index}`);
    if (verified) this.#parts.keptBefore.clear();
    const tail = [...this.#parts.tail, ...entries.map(({ bytes }) => bytes)];
    this.#parts.tail = tail.slice(tail.length - (now.size % TILE_ENTRIES));
    this.#batch = new Batch(this.#batch.network, tip);
    // They are in the store now, where questions find them.
    tip.state.forgetFinal(this.#batch.network.genesis);
  }

  #mark(): Mark {
    const { state, log } = this.tip;
    const [accounts, transfers, disputes] = state.counts();
    const { length: history } = this.#parts.history;
    const counts = { accounts, transfers, disputes, history };
    return { size: log.size, ...counts, totals: state.totals, due: state.due, window: log.windowFrontier };
  }

  #tileRows(): Row[] {
    const { tail, hashes } = this.#parts;
    const entries = [...tail, ...this.#batch.entries.map(({ bytes }) => bytes)];
    const first = (this.#batch.start - tail.length) / TILE_ENTRIES;
    const rows: Row[] = [];
    for (let at = 0; at < entries.length && this.unsaved > 0; at += TILE_ENTRIES) {
      const index = first + at / TILE_ENTRIES;
      rows.push({ part: 'tile', index, bytes: encodeTile(entries.slice(at, at + TILE_ENTRIES)) });
      rows.push({ part: 'hash', index, bytes: hashes.rowOf(index) });
    }
    return rows;
  }

  async #recordRows<T>(
    part: 'account' | 'transfer' | 'dispute',
    changed: ReadonlyMap<number, T>,
    encode: (record: T) => Uint8Array,
    { now, base }: Head,
    verified: Head['verified'],
  ): Promise<Row[]> {
    const encoded = new Map([...changed].map(([place, record]) => [place, encode(record)]));
    const { rows, before } = await changedPages(this.#store, part, encoded, now[`${part}s`]);
    if (verified) return rows;
    const isFirst = ({ index }: Row) =>
      index * PAGE_RECORDS < base[`${part}s`] && !this.#parts.keptBefore.has(`${part}-before/${index}`);
    return [...rows, ...before.filter(isFirst).map((row): Row => ({ ...row, part: `${part}-before` }))];
  }

  async #historyRows(): Promise<Row[]> {
    const { head, history } = this.#parts;
    const added = new Map<number, Uint8Array>();
    for (let i = head.now.history; i < history.length; i++) added.set(i, encodePlace(history[i]!));
    return (await changedPages(this.#store, 'history', added, head.now.history)).rows;
  }
}
