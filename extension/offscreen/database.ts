import { Dexie, type EntityTable } from 'dexie';
import type { Settings, Turn } from '../state.ts';
import type { Tries } from './wallet-tries.ts';

/** One chunk of a model's files under the SHA-256 (hex) of its bytes. */
interface ChunkRow {
  hash: string;
  bytes: Uint8Array;
}

/** What a chunk is for and when it was last needed, beside the chunks, so that nobody reads them to know. */
interface ChunkUseRow {
  hash: string;
  model: string;
  bytes: number;
  /** Milliseconds since 1970. */
  usedMs: number;
}

/** `training` was a yes or no before there were texts of the person's own. */
export type StoredSettings = Partial<Omit<Settings, 'training'>> & { training?: Settings['training'] | boolean };

/** Single values by name. */
export interface Values {
  settings: StoredSettings;
  /** The sealed wallet (wallet-record.ts), one of its two copies. */
  vault: string;
  /** Of passwords. */
  tries: Tries;
  /** Recovery words in plain, as they were stored before there was a vault; sealed, then removed. */
  wallet: string;
  conversation: Turn[];
  answersHelped: number;
}

interface ValueRow {
  name: keyof Values;
  value: unknown;
}

/** A text of the person's own; its words are beside it, so that nobody reads them to know its size. */
interface TextRow {
  id: number;
  name: string;
  bytes: number;
  characters: number;
  addedMs: number;
}

interface TextWordsRow {
  id: number;
  text: string;
}

/** A round in which something was handed in that was learned from these texts. */
interface TextUseRow {
  id: number;
  campaign: string;
  round: number;
  timeMs: number;
  texts: number[];
}

export type Database = Dexie & {
  texts: EntityTable<TextRow, 'id'>;
  textWords: EntityTable<TextWordsRow, 'id'>;
  textUses: EntityTable<TextUseRow, 'id'>;
  chunks: EntityTable<ChunkRow, 'hash'>;
  chunkUses: EntityTable<ChunkUseRow, 'hash'>;
  values: EntityTable<ValueRow, 'name'>;
};

/** The extension's IndexedDB; every page of it, and the service worker, may open it. */
export function openDatabase(): Database {
  const database = new Dexie('ailo') as Database;
  database.version(1).stores({ chunks: 'hash', values: 'name' });
  // Chunks of which nobody knows what they are for are fetched again.
  database
    .version(2)
    .stores({ chunks: 'hash', chunkUses: 'hash, model, usedMs', values: 'name' })
    .upgrade((transaction) => transaction.table('chunks').clear());
  database.version(3).stores({ texts: '++id', textWords: 'id', textUses: '++id, campaign' });
  return database;
}

export async function getValue<N extends keyof Values>(database: Database, name: N): Promise<Values[N] | undefined> {
  return (await database.values.get(name))?.value as Values[N] | undefined;
}

export async function putValue<N extends keyof Values>(database: Database, name: N, value: Values[N]): Promise<void> {
  await database.values.put({ name, value });
}

export async function removeValue(database: Database, name: keyof Values): Promise<void> {
  await database.values.delete(name);
}
