/** What a replica keeps, as rows of bytes: stores know nothing of ledgers, and none can differ from another. */

/**
 * `head`: one row, how far the rest goes; `evidence`: one row; `tile`: the log; `account`, `transfer`, `dispute`: pages of
 * records, and with `-before` the pages as they were at the last verified checkpoint; `history`: pages of the own
 * wallet's places in the log; `hash`: for each tile the beginnings of its transactions' hashes.
 */
export const PARTS = [
  'head',
  'evidence',
  'tile',
  'account',
  'transfer',
  'dispute',
  'history',
  'hash',
  'account-before',
  'transfer-before',
  'dispute-before',
] as const;
export type Part = (typeof PARTS)[number];
export const BEFORE_PARTS = ['account-before', 'transfer-before', 'dispute-before'] as const;

export interface Row {
  part: Part;
  index: number;
  bytes: Uint8Array;
}

export interface ReplicaStore {
  /** The rows of a part with `from` ≤ index < `to`, ascending. */
  read(part: Part, from?: number, to?: number): Promise<Row[]>;
  /** Empties the parts in `drop`, then puts rows in place of those that are there. All of it happens, or nothing. */
  save(rows: readonly Row[], drop?: readonly Part[]): Promise<void>;
  close(): Promise<void>;
}

/** A host's stores, one for each network, and which network it knows a coordinator by. */
export interface ReplicaStores {
  /** The genesis bytes of the network that `url` was first found to serve. */
  pinned(url: string): Promise<Uint8Array | undefined>;
  pin(url: string, genesis: Uint8Array): Promise<void>;
  /** @param networkId hex */
  open(networkId: string): Promise<ReplicaStore>;
}

/** One row, or undefined. */
export async function readRow(store: ReplicaStore, part: Part, index: number): Promise<Uint8Array | undefined> {
  return (await store.read(part, index, index + 1))[0]?.bytes;
}
