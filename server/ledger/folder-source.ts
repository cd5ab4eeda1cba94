/** A coordinator's data folder as a source to verify: read only, whether or not a coordinator is running on it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { AiloError } from '../../shared/errors/index.ts';
import type { Seal } from '../../shared/ledger/checkpoint.ts';
import { decodeGenesis } from '../../shared/ledger/genesis.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { encodeTile } from '../../shared/ledger/tile.ts';
import type { LedgerSource } from '../../shared/replica/source.ts';

/** Throws DATABASE_UNUSABLE for a folder that is no coordinator's. Its methods throw GENESIS_INVALID, LEDGER_CORRUPT. */
export async function openFolderSource(folder: string): Promise<Omit<LedgerSource, 'consistency'> & { close(): void }> {
  const path = join(folder, 'ailo.sqlite');
  const unusable = (error: unknown) =>
    AiloError.of('DATABASE_UNUSABLE', { path, reason: (error as Error).message }, error);
  const genesis = await readFile(join(folder, 'genesis.json')).catch((error) => {
    throw unusable(error);
  });
  let database: Sqlite.Database;
  try {
    database = new Sqlite(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw unusable(error);
  }
  return {
    network: async () => networkOf(decodeGenesis(new Uint8Array(genesis))),
    async checkpoint(): Promise<Seal> {
      const head = database.prepare('SELECT checkpoint, signature FROM ledger_head').get() as
        | { checkpoint: Buffer; signature: Buffer }
        | undefined;
      if (!head) throw AiloError.of('LEDGER_CORRUPT', { reason: 'it has no checkpoint' });
      return { bytes: new Uint8Array(head.checkpoint), signature: new Uint8Array(head.signature) };
    },
    async tile({ index, width }) {
      const start = index * TILE_ENTRIES;
      const entries = database
        .prepare('SELECT bytes FROM ledger_entry WHERE position >= ? AND position < ? ORDER BY position')
        .pluck()
        .all(start, start + width) as Buffer[];
      if (entries.length !== width)
        throw AiloError.of('LEDGER_CORRUPT', { reason: `entries after ${start} are missing` });
      return encodeTile(entries.map((bytes) => new Uint8Array(bytes)));
    },
    close: () => database.close(),
  };
}
