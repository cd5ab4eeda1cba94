/** A replica's rows in a folder: one SQLite file for each network, and a small one that says which belongs to whom. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { AiloError } from '../../shared/errors/index.ts';
import type { ReplicaStore, ReplicaStores, Row } from '../../shared/replica/store.ts';

/** Each function throws DATABASE_UNUSABLE, also where another process has the network's file open. */
export function folderStores(folder: string): ReplicaStores {
  const pins = <T>(use: (database: Sqlite.Database) => T): T => {
    const database = openFile(folder, 'networks');
    try {
      database.exec('CREATE TABLE IF NOT EXISTS pin (url TEXT PRIMARY KEY, genesis BLOB NOT NULL) WITHOUT ROWID');
      return use(database);
    } finally {
      database.close();
    }
  };
  return {
    pinned: async (url) =>
      pins((database) => {
        const genesis = database.prepare('SELECT genesis FROM pin WHERE url = ?').pluck().get(url);
        return genesis === undefined ? undefined : new Uint8Array(genesis as Buffer);
      }),
    pin: async (url, genesis) =>
      pins((database) => {
        database.prepare('INSERT OR REPLACE INTO pin VALUES (?, ?)').run(url, genesis);
      }),
    open: async (networkId) => {
      const database = openFile(folder, networkId);
      // A second replica of the same rows would write over what this one believes: it is refused when it opens.
      database.pragma('locking_mode = EXCLUSIVE');
      return sqliteStore(database);
    },
  };
}

function sqliteStore(database: Sqlite.Database): ReplicaStore {
  database.exec(
    'CREATE TABLE IF NOT EXISTS row (part TEXT, place INTEGER, bytes BLOB NOT NULL, PRIMARY KEY (part, place)) WITHOUT ROWID',
  );
  const select = database.prepare<[string, number, number], { index: number; bytes: Buffer }>(
    'SELECT place AS "index", bytes FROM row WHERE part = ? AND place >= ? AND place < ? ORDER BY place',
  );
  const put = database.prepare('INSERT OR REPLACE INTO row VALUES (?, ?, ?)');
  const empty = database.prepare('DELETE FROM row WHERE part = ?');
  const save = database.transaction((rows: readonly Row[], drop: readonly string[]) => {
    for (const part of drop) empty.run(part);
    for (const { part, index, bytes } of rows) put.run(part, index, bytes);
  });
  return {
    async read(part, from = 0, to = Number.MAX_SAFE_INTEGER) {
      return select.all(part, from, to).map(({ index, bytes }) => ({ part, index, bytes: new Uint8Array(bytes) }));
    },
    async save(rows, drop = []) {
      save(rows, drop);
    },
    async close() {
      database.close();
    },
  };
}

/** So long is waited for another process to let go of a file: one that is being replaced, say. */
const BUSY_TIMEOUT_MS = 2_000;

/** A file is one process's at a time: two replicas would undo each other's work. A write outlives a power cut. */
function openFile(folder: string, name: string): Sqlite.Database {
  const path = join(folder, `${name}.sqlite`);
  try {
    mkdirSync(folder, { recursive: true });
    const database = new Sqlite(path, { timeout: BUSY_TIMEOUT_MS });
    database.pragma('locking_mode = EXCLUSIVE');
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    return database;
  } catch (error) {
    throw AiloError.of('DATABASE_UNUSABLE', { path, reason: (error as Error).message }, error);
  }
}
