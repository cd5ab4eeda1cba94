/** Opening what a store keeps, and going back to what of it was verified. */

import { AiloError } from '../errors/index.ts';
import type { Tip } from '../ledger/batch.ts';
import { equalBytes } from '../ledger/binary.ts';
import { openSeal } from '../ledger/checkpoint.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { LogTree } from '../ledger/log-tree.ts';
import { hashLeaf } from '../ledger/merkle.ts';
import type { Network } from '../ledger/network.ts';
import { decodeAccount, decodeDispute } from '../ledger/records.ts';
import { LedgerState } from '../ledger/state.ts';
import { LedgerCopy } from './copy.ts';
import { HashIndex } from './hash-index.ts';
import { decodeHead, encodeHead, type Head, type Mark } from './head.ts';
import { changeOwner } from './history.ts';
import { corrupt, decodePlace, readRecords } from './pages.ts';
import { BEFORE_PARTS, PARTS, type Part, type ReplicaStore, type Row, readRow } from './store.ts';
import { readEntries } from './stored-tiles.ts';

export interface CopyOptions {
  store: ReplicaStore;
  network: Network;
  /** Whose history is kept. */
  publicKey: Uint8Array;
}

/**
 * Opens the copy; an empty one where nothing is stored. Throws LEDGER_CORRUPT for what does not fit together or does not
 * lead to the checkpoint that it was verified by, or the store's error.
 */
export async function openCopy({ store, network, publicKey }: CopyOptions): Promise<LedgerCopy> {
  const row = await readRow(store, 'head', 0);
  try {
    const stored = row ? decodeHead(row) : emptyHead(network, publicKey);
    const head = equalBytes(stored.owner, publicKey) ? stored : await changeOwner(store, stored, publicKey);
    const { now } = head;
    const tail = await readEntries(store, now.window.size, now.size);
    const log = new LogTree(now.window.size, now.window.hashes, tail.map(hashLeaf));
    const tip = { state: await readState(store, network, now), log };
    checkVerified(network, head, tip);
    return new LedgerCopy(store, network, {
      head,
      tip,
      tail: tail.slice(tail.length - (now.size % TILE_ENTRIES)),
      history: await readHistory(store, now.history),
      hashes: await readHashes(store, now.size),
      keptBefore: await readKept(store),
    });
  } catch (error) {
    // What our formats and rules refuse is damage; the store's own errors stay what they are.
    if (!(error instanceof AiloError || error instanceof RangeError) || isCorrupt(error)) throw error;
    throw AiloError.of('LEDGER_CORRUPT', { reason: error.message.replace(/\.$/, '') }, error);
  }
}

/** Stores `rows` and goes back to the last verified checkpoint, in one step. Copies that are open are of no use then. */
export async function restoreVerified(store: ReplicaStore, rows: Row[] = []): Promise<void> {
  const row = await readRow(store, 'head', 0);
  const restored: Row[] = [];
  for (const part of BEFORE_PARTS) {
    const original = part.replace('-before', '') as Part;
    for (const before of await store.read(part)) restored.push({ ...before, part: original });
  }
  if (row) {
    const head = decodeHead(row);
    restored.push({ part: 'head', index: 0, bytes: encodeHead({ ...head, now: head.base }) });
  }
  await store.save([...restored, ...rows], BEFORE_PARTS);
}

/** Drops everything but evidence. */
export async function forgetCopy(store: ReplicaStore): Promise<void> {
  await store.save(
    [],
    PARTS.filter((part) => part !== 'evidence'),
  );
}

function emptyHead(network: Network, owner: Uint8Array): Head {
  const { totals } = LedgerState.empty(network.genesis);
  const nothing = { size: 0, accounts: 0, transfers: 0, disputes: 0, history: 0 };
  const mark: Mark = { ...nothing, totals, due: [], window: { size: 0, hashes: [] } };
  return { owner, now: mark, base: mark };
}

/** What was verified is what the checkpoint says; for progress beyond it, that is checked when it reaches the next. */
function checkVerified(network: Network, { now, base, verified }: Head, { state, log }: Tip): void {
  if (!verified) return;
  const checkpoint = openSeal(verified.seal, network);
  if (checkpoint.size !== base.size) throw corrupt('its checkpoint is another');
  if (now.size !== base.size) return;
  if (!equalBytes(log.root(), checkpoint.root)) throw corrupt('its entries are not those of its checkpoint');
  if (!equalBytes(state.hash(), checkpoint.stateHash)) throw corrupt('its records are not those of its checkpoint');
}

async function readState(store: ReplicaStore, { genesis }: Network, mark: Mark): Promise<LedgerState> {
  const { totals, due } = mark;
  const accounts = await decoded(readRecords(store, 'account', mark.accounts), decodeAccount);
  const state = new LedgerState({ accounts, totals });
  for await (const page of readRecords(store, 'transfer', mark.transfers)) state.restoreTransfers(genesis, page);
  const disputes = await decoded(readRecords(store, 'dispute', mark.disputes), decodeDispute);
  state.commit({ disputes, totals, due: [...due] });
  return state;
}

function readHistory(store: ReplicaStore, count: number): Promise<number[]> {
  return decoded(readRecords(store, 'history', count), decodePlace);
}

async function decoded<T>(pages: AsyncIterable<Uint8Array[]>, decode: (bytes: Uint8Array) => T): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) for (const record of page) all.push(decode(record));
  return all;
}

async function readHashes(store: ReplicaStore, size: number): Promise<HashIndex> {
  const hashes = new HashIndex();
  for (const { index, bytes } of await store.read('hash', 0, Math.ceil(size / TILE_ENTRIES))) {
    hashes.appendRow(bytes, Math.min(TILE_ENTRIES, size - index * TILE_ENTRIES));
  }
  if (hashes.size !== size) throw corrupt('rows of “hash” are missing');
  return hashes;
}

async function readKept(store: ReplicaStore): Promise<Set<string>> {
  const rows = await Promise.all(BEFORE_PARTS.map((part) => store.read(part)));
  return new Set(rows.flat().map(({ part, index }) => `${part}/${index}`));
}

function isCorrupt(error: unknown): boolean {
  return error instanceof AiloError && error.code === 'LEDGER_CORRUPT';
}
