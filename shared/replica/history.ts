/** Whose history a transaction stands in, and beginning another wallet's. */
import { equalBytes } from '../ledger/binary.ts';
import { decodeEntry } from '../ledger/entry.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import type { Transaction } from '../ledger/transaction.ts';
import { encodeHead, type Head } from './head.ts';
import { changedPages, encodePlace } from './pages.ts';
import type { ReplicaStore } from './store.ts';
import { readEntries } from './stored-tiles.ts';

/** The network, from which rewards and reversals come, has no history. */
export function isParty({ type, from, to }: Transaction, publicKey: Uint8Array): boolean {
  return equalBytes(to, publicKey) || (type === 'transfer' && equalBytes(from, publicKey));
}

/** Stores the history of another wallet in the place of the old one, from the entries; the head that goes with it. */
export async function changeOwner(store: ReplicaStore, head: Head, owner: Uint8Array): Promise<Head> {
  const places: number[] = [];
  const { now, base } = head;
  for (let at = 0; at < now.size; at += TILE_ENTRIES) {
    for (const [i, bytes] of (await readEntries(store, at, Math.min(now.size, at + TILE_ENTRIES))).entries()) {
      const entry = decodeEntry(bytes);
      if (entry.kind === 'transaction' && isParty(entry.signed.transaction, owner)) places.push(at + i);
    }
  }
  const { rows } = await changedPages(store, 'history', new Map(places.map(encodePlace).entries()), 0);
  const changed: Head = {
    ...head,
    owner,
    now: { ...now, history: places.length },
    base: { ...base, history: places.filter((place) => place < base.size).length },
  };
  await store.save([...rows, { part: 'head', index: 0, bytes: encodeHead(changed) }], ['history']);
  return changed;
}
