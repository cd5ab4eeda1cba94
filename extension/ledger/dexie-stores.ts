/** A replica's rows in IndexedDB: one database for each network, and a small one that says which belongs to whom. */
import { Dexie, type Table } from 'dexie';
import type { Part, ReplicaStore, ReplicaStores, Row } from '../../shared/replica/store.ts';

/** Digits of the network's id in its database's name. */
const NAME_DIGITS = 16;

type Rows = Dexie & { rows: Table<Row, [Part, number]> };
type Pins = Dexie & { pins: Table<{ url: string; genesis: Uint8Array }, string> };

/** @param prefix of the databases' names */
export function dexieStores(prefix = 'ailo-ledger'): ReplicaStores {
  const pins = async <T>(use: (database: Pins) => Promise<T>): Promise<T> => {
    const database = new Dexie(`${prefix}-networks`) as Pins;
    database.version(1).stores({ pins: 'url' });
    try {
      return await use(database);
    } finally {
      database.close();
    }
  };
  return {
    pinned: (url) => pins(async (database) => (await database.pins.get(url))?.genesis),
    pin: (url, genesis) =>
      pins(async (database) => {
        await database.pins.put({ url, genesis });
      }),
    open: async (networkId) => dexieStore(`${prefix}-${networkId.slice(0, NAME_DIGITS)}`),
  };
}

function dexieStore(name: string): ReplicaStore {
  const database = new Dexie(name) as Rows;
  database.version(1).stores({ rows: '[part+index]' });
  const { rows } = database;
  return {
    read: (part, from = 0, to = Number.MAX_SAFE_INTEGER) =>
      rows.where('[part+index]').between([part, from], [part, to], true, false).toArray(),
    save: (added, drop = []) =>
      database.transaction('rw', rows, async () => {
        for (const part of drop) {
          await rows.where('[part+index]').between([part, Dexie.minKey], [part, Dexie.maxKey]).delete();
        }
        await rows.bulkPut([...added]);
      }),
    async close() {
      database.close();
    },
  };
}
