/** The log as it is stored. */
import { equalBytes } from '../ledger/binary.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { CompactRange, hashLeaf } from '../ledger/merkle.ts';
import { corrupt, decodePage } from './pages.ts';
import type { ReplicaStore } from './store.ts';

/** Entries `from` ≤ place < `to`, where `from` begins a tile. Throws LEDGER_CORRUPT where some are missing. */
export async function readEntries(store: ReplicaStore, from: number, to: number): Promise<Uint8Array[]> {
  const rows = await store.read('tile', from / TILE_ENTRIES, Math.ceil(to / TILE_ENTRIES));
  const entries = rows.flatMap(({ index, bytes }) =>
    decodePage(bytes, Math.min(TILE_ENTRIES, to - index * TILE_ENTRIES)),
  );
  if (entries.length !== to - from) throw corrupt(`entries before ${to} are missing`);
  return entries;
}

/**
 * The root over the first `size` entries, from what is stored. Throws LEDGER_CORRUPT unless all of them have the root that
 * was verified: a disk's mistake must not become somebody's guilt.
 */
export async function storedRoot(store: ReplicaStore, size: number, verified: Tree): Promise<Uint8Array> {
  const range = new CompactRange();
  let root = range.root();
  for (let at = 0; at < verified.size; at += TILE_ENTRIES) {
    for (const entry of await readEntries(store, at, Math.min(verified.size, at + TILE_ENTRIES))) {
      range.append(hashLeaf(entry));
      if (range.size === size) root = range.root();
    }
  }
  checkStored(range.root(), verified);
  return root;
}

export function checkStored(root: Uint8Array, verified: Tree): void {
  if (!equalBytes(root, verified.root)) throw corrupt('its entries are not those that were verified');
}

export interface Tree {
  size: number;
  root: Uint8Array;
}
