/**
 * Chunks in IndexedDB, checked whenever they are read back: what the disk spoilt is forgotten and fetched again. They are
 * a cache: those that were not needed for longest make room when there are more than `budgetBytes`, or the disk is full.
 */
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import type { ChunkStore } from '../../shared/model/types.ts';
import type { StoredModel } from '../state.ts';
import type { Database } from './database.ts';

export interface ChunkCacheOptions {
  /** What all chunks together may take, at the time it is asked for. */
  budgetBytes(): Promise<number>;
  /** Milliseconds since 1970. */
  now(): number;
}

export interface ChunkCache extends ChunkStore {
  /** What is stored, the largest first. */
  usage(): Promise<StoredModel[]>;
  /** Forgets what is stored of a model. */
  remove(model: string): Promise<void>;
}

/** Need is written down no more often than this: a stage reads its chunks all at once. */
const USE_GRAIN_MS = 60_000;
/** Of the budget, what is freed beyond need where the disk is full: it may be fuller than anybody knows. */
const FULL_DISK_SHARE = 0.1;

export function indexedDbChunks(database: Database, { budgetBytes, now }: ChunkCacheOptions): ChunkCache {
  const { chunks, chunkUses } = database;
  /** One at a time, so that what is stored is counted once. */
  let storing: Promise<unknown> = Promise.resolve();
  /** Undefined: to be counted. */
  let storedBytes: number | undefined;

  async function forget(hashes: string[]): Promise<void> {
    storedBytes = undefined;
    await database.transaction('rw', chunks, chunkUses, async () => {
      await chunks.bulkDelete(hashes);
      await chunkUses.bulkDelete(hashes);
    });
  }

  async function count(): Promise<number> {
    let bytes = 0;
    await chunkUses.each((use) => {
      bytes += use.bytes;
    });
    return bytes;
  }

  /** Deletes what was not needed for longest until so much is free. */
  async function free(bytes: number): Promise<void> {
    const oldest: string[] = [];
    let freed = 0;
    await chunkUses
      .orderBy('usedMs')
      .until(() => freed >= bytes)
      .each((use) => {
        oldest.push(use.hash);
        freed += use.bytes;
      });
    const before = storedBytes ?? (await count());
    await forget(oldest);
    storedBytes = before - freed;
  }

  async function write(hash: string, bytes: Uint8Array, model: string): Promise<void> {
    await database.transaction('rw', chunks, chunkUses, async () => {
      await chunks.put({ hash, bytes });
      await chunkUses.put({ hash, model, bytes: bytes.length, usedMs: now() });
    });
  }

  async function store(hash: string, bytes: Uint8Array, model: string): Promise<void> {
    const budget = await budgetBytes();
    if (bytes.length > budget) return;
    const known = await chunkUses.get(hash);
    if (known) await forget([hash]);
    storedBytes ??= await count();
    const excess = storedBytes + bytes.length - budget;
    if (excess > 0) await free(excess);
    try {
      await write(hash, bytes, model);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      await free(bytes.length + FULL_DISK_SHARE * budget);
      await write(hash, bytes, model);
    }
    storedBytes += bytes.length;
  }

  return {
    async get(hash) {
      const row = await chunks.get(hash);
      if (!row) return undefined;
      if ((await sha256Hex(row.bytes)) !== hash) {
        await forget([hash]);
        return undefined;
      }
      const use = await chunkUses.get(hash);
      if (use && now() - use.usedMs > USE_GRAIN_MS) await chunkUses.update(hash, { usedMs: now() });
      return row.bytes;
    },
    put(hash, bytes, model) {
      const stored = storing.then(() => store(hash, bytes, model));
      storing = stored.catch(() => undefined);
      return stored;
    },
    async usage() {
      const models = new Map<string, StoredModel>();
      await chunkUses.each(({ model, bytes, usedMs }) => {
        const known = models.get(model) ?? { model, bytes: 0, usedMs: 0 };
        models.set(model, { model, bytes: known.bytes + bytes, usedMs: Math.max(known.usedMs, usedMs) });
      });
      return [...models.values()].sort((a, b) => b.bytes - a.bytes);
    },
    async remove(model) {
      await forget(await chunkUses.where('model').equals(model).primaryKeys());
    },
  };
}

/** Dexie wraps what the browser threw. */
function isDiskFull(error: unknown): boolean {
  const { name, inner } = error as { name?: string; inner?: { name?: string } };
  return name === 'QuotaExceededError' || inner?.name === 'QuotaExceededError';
}
