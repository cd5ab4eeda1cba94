/** Proofs over the published log, from the stored roots of its tiles and the entries of two tiles at most. */
import { HashList } from '../../shared/ledger/hash-list.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { hashLeaf } from '../../shared/ledger/merkle.ts';
import { consistencyProof, inclusionProof } from '../../shared/ledger/merkle-proof.ts';
import { tileNodes } from '../../shared/ledger/proofs.ts';
import type { Database } from '../store/database.ts';
import type { LedgerStore } from './store.ts';

export class LogProofs {
  readonly #db: Database;
  readonly #store: LedgerStore;
  /** Of the full tiles, as far as a proof needed them: 32 bytes for 256 entries. */
  readonly #roots = new HashList();
  /** What the proof being made may look at. */
  readonly #leaves = new Map<number, Uint8Array[]>();
  readonly #node = tileNodes({
    leaves: (tile) => this.#leaves.get(tile) ?? [],
    root: (tile) => this.#roots.view(tile).slice(),
  });

  constructor(db: Database, store: LedgerStore) {
    this.#db = db;
    this.#store = store;
  }

  /** That entry `index` is in the log of `size`; `size` is published and more than `index`. */
  inclusion(index: number, size: number): Promise<Uint8Array[]> {
    return this.#prove(size, [tileOf(index)], () => inclusionProof(index, size, this.#node));
  }

  /** That the log of `from` begins that of `to`; 0 < from ≤ to, and `to` is published. */
  consistency(from: number, to: number): Promise<Uint8Array[]> {
    return this.#prove(to, [tileOf(from)], () => consistencyProof(from, to, this.#node));
  }

  async #prove(size: number, tiles: number[], make: () => Uint8Array[]): Promise<Uint8Array[]> {
    await this.#loadRoots(tileOf(size));
    const leaves = new Map<number, Uint8Array[]>();
    for (const tile of new Set([...tiles, tileOf(size)])) {
      const start = tile * TILE_ENTRIES;
      const entries = await this.#store.entries(start, Math.min(start + TILE_ENTRIES, size));
      leaves.set(tile, entries.map(hashLeaf));
    }
    // From here to the end nothing else runs, so that the leaves are this proof's.
    this.#leaves.clear();
    for (const [tile, hashes] of leaves) this.#leaves.set(tile, hashes);
    return make();
  }

  async #loadRoots(count: number): Promise<void> {
    if (this.#roots.length >= count) return;
    const rows = await this.#db
      .selectFrom('ledger_tile')
      .selectAll()
      .where('index', '>=', this.#roots.length)
      .where('index', '<', count)
      .orderBy('index')
      .execute();
    for (const { index, root } of rows) this.#roots.set(index, root);
  }
}

function tileOf(position: number): number {
  return Math.floor(position / TILE_ENTRIES);
}
