import { sha256Hex } from '../../shared/bytes/sha256.ts';
import type { ChunkStore } from '../../shared/model/types.ts';
import type { Database } from './database.ts';

/** Chunks in IndexedDB, checked whenever they are read back: what the disk spoilt is forgotten and fetched again. */
export function indexedDbChunks(database: Database): ChunkStore {
  return {
    async get(hash) {
      const row = await database.chunks.get(hash);
      if (!row) return undefined;
      if ((await sha256Hex(row.bytes)) === hash) return row.bytes;
      await database.chunks.delete(hash);
      return undefined;
    },
    async put(hash, bytes) {
      await database.chunks.put({ hash, bytes });
    },
  };
}
