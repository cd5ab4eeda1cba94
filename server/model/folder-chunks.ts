import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import type { ChunkStore } from '../../shared/model/types.ts';

/**
 * Chunks as files named by their hash, in folders by its first byte. A chunk is written beside its place, synced and
 * renamed, so that a crash leaves no half chunk; what no longer has its hash when it is read is deleted.
 */
export function folderChunkStore(folder: string): ChunkStore {
  const placeOf = (hash: string): string => {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new RangeError('a chunk is named by a SHA-256 in hex');
    return join(folder, hash.slice(0, 2), hash);
  };
  return {
    async get(hash) {
      const place = placeOf(hash);
      const bytes = await readIfThere(place);
      if (bytes === undefined || (await sha256Hex(bytes)) === hash) return bytes;
      await rm(place, { force: true });
      return undefined;
    },
    async put(hash, bytes) {
      const place = placeOf(hash);
      await mkdir(dirname(place), { recursive: true });
      const part = `${place}.${randomUUID()}.part`;
      try {
        const file = await open(part, 'wx');
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(part, place);
      } catch (error) {
        await rm(part, { force: true });
        throw error;
      }
    },
  };
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
