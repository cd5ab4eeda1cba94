/** Stores in memory, for tests and for a replica that keeps nothing. */
import type { Part, ReplicaStore, ReplicaStores, Row } from './store.ts';

export interface MemoryStores extends ReplicaStores {
  /** Rows by network id and `part/index`: what would be on the disk. */
  readonly rows: Map<string, Map<string, Row>>;
}

export function memoryStores(): MemoryStores {
  const pins = new Map<string, Uint8Array>();
  const rows = new Map<string, Map<string, Row>>();
  return {
    rows,
    pinned: async (url) => pins.get(url),
    async pin(url, genesis) {
      pins.set(url, genesis.slice());
    },
    async open(networkId) {
      const kept = rows.get(networkId) ?? new Map<string, Row>();
      rows.set(networkId, kept);
      return memoryStore(kept);
    },
  };
}

function memoryStore(rows: Map<string, Row>): ReplicaStore {
  return {
    async read(part, from = 0, to = Number.MAX_SAFE_INTEGER) {
      const found = [...rows.values()].filter((row) => row.part === part && row.index >= from && row.index < to);
      return found.sort((a, b) => a.index - b.index).map((row) => ({ ...row, bytes: row.bytes.slice() }));
    },
    async save(added, drop: readonly Part[] = []) {
      for (const [key, row] of rows) if (drop.includes(row.part)) rows.delete(key);
      for (const row of added) rows.set(`${row.part}/${row.index}`, { ...row, bytes: row.bytes.slice() });
    },
    async close() {},
  };
}
