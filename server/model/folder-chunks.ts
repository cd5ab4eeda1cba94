import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import type { ChunkStore } from '../../shared/model/types.ts';

export interface FolderChunksOptions {
  /** What all chunks may take; those that were not needed for longest make room. Absent: as much as there is. */
  limitBytes?: number;
  /** Milliseconds since 1970. */
  now?: () => number;
}

/** Of the limit, what is freed beyond need: a folder is not looked through for each chunk. */
const FREED_SHARE = 0.05;
/** A chunk that is being written, by a process that is gone. */
const STALE_PART_MS = 24 * 3_600_000;

/**
 * Chunks as files named by their hash, in folders by its first byte. A chunk is written beside its place, synced and
 * renamed, so that a crash leaves no half chunk; what no longer has its hash when it is read is deleted. A file's time
 * is when it was last needed. Processes may share a folder; each counts what it adds.
 */
export function folderChunkStore(
  folder: string,
  { limitBytes = Number.POSITIVE_INFINITY, now = Date.now }: FolderChunksOptions = {},
): ChunkStore {
  const isLimited = limitBytes < Number.POSITIVE_INFINITY;
  /** Undefined until it was counted. */
  let storedBytes: number | undefined;
  let storing: Promise<unknown> = Promise.resolve();

  const placeOf = (hash: string): string => {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new RangeError('a chunk is named by a SHA-256 in hex');
    return join(folder, hash.slice(0, 2), hash);
  };

  async function makeRoom(bytes: number): Promise<void> {
    storedBytes ??= sum(await stored(folder, now()));
    if (storedBytes + bytes <= limitBytes) return;
    const chunks = await stored(folder, now());
    storedBytes = sum(chunks);
    const target = Math.max(0, (1 - FREED_SHARE) * limitBytes - bytes);
    for (const { place, size } of chunks.sort((a, b) => a.usedMs - b.usedMs)) {
      if (storedBytes <= target) break;
      await rm(place, { force: true });
      storedBytes -= size;
    }
  }

  async function makeRoomAndWrite(place: string, bytes: Uint8Array): Promise<void> {
    await makeRoom(bytes.length);
    await write(place, bytes);
    if (storedBytes !== undefined) storedBytes += bytes.length;
  }

  return {
    async get(hash) {
      const place = placeOf(hash);
      const bytes = await readIfThere(place);
      if (bytes === undefined) return undefined;
      if ((await sha256Hex(bytes)) === hash) {
        // It may have been deleted by another process meanwhile; then its time does not matter.
        await utimes(place, now() / 1000, now() / 1000).catch(() => undefined);
        return bytes;
      }
      await rm(place, { force: true });
      return undefined;
    },
    async put(hash, bytes) {
      const place = placeOf(hash);
      if (bytes.length > limitBytes) return;
      if (!isLimited) return write(place, bytes);
      const done = storing.then(() => makeRoomAndWrite(place, bytes));
      storing = done.catch(() => undefined);
      return done;
    },
  };
}

async function write(place: string, bytes: Uint8Array): Promise<void> {
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
}

interface Stored {
  place: string;
  size: number;
  usedMs: number;
}

/** The chunks of a folder; what was left half-written long ago is removed. */
async function stored(folder: string, nowMs: number): Promise<Stored[]> {
  const chunks: Stored[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (!entry.isFile()) continue;
    const place = join(entry.parentPath, entry.name);
    const info = await stat(place).catch(() => undefined);
    if (!info) continue;
    if (!entry.name.endsWith('.part')) chunks.push({ place, size: info.size, usedMs: info.mtimeMs });
    else if (nowMs - info.mtimeMs > STALE_PART_MS) await rm(place, { force: true });
  }
  return chunks;
}

function sum(chunks: Stored[]): number {
  return chunks.reduce((bytes, { size }) => bytes + size, 0);
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
