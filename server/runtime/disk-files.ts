/** The files of a training in a folder. */
import { type FileHandle, mkdir, open, readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import type { Files } from '../../shared/train/virtual/files.ts';

/** Opens a folder, which is made if it is not there. Throws STATE_NOT_STORED, as do its methods. */
export async function openDiskFiles(folder: string): Promise<Files> {
  const handles = new Map<string, FileHandle>();
  await stored(mkdir(folder, { recursive: true }));

  async function opened(name: string): Promise<FileHandle> {
    const known = handles.get(name);
    if (known) return known;
    const path = join(folder, name);
    // Neither of the two flags for reading and writing takes a file whether it is there or not.
    await (await open(path, 'a')).close();
    const handle = await open(path, 'r+');
    handles.set(name, handle);
    return handle;
  }

  return {
    async open(name) {
      const handle = await stored(opened(name));
      return {
        read: (at, into) => stored(fill(handle, at, into)),
        write: (at, bytes) => stored(writeAll(handle, at, bytes)),
        flush: () => stored(handle.datasync()),
      };
    },
    clear: (name) => stored(opened(name).then((handle) => handle.truncate(0))),
    async close() {
      for (const handle of handles.values()) await handle.close();
      handles.clear();
    },
  };
}

/** Bytes that a folder may have: what it has, and what is free. It is made if it is not there. */
export async function roomFor(folder: string): Promise<number> {
  await stored(mkdir(folder, { recursive: true }));
  const { bavail, bsize } = await stored(statfs(folder));
  const sizes = await stored(Promise.all((await readdir(folder)).map((name) => stat(join(folder, name)))));
  return sizes.reduce((sum, { size }) => sum + size, bavail * bsize);
}

async function fill(handle: FileHandle, at: number, into: Uint8Array): Promise<void> {
  let done = 0;
  while (done < into.length) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  into.fill(0, done);
}

async function writeAll(handle: FileHandle, at: number, bytes: Uint8Array): Promise<void> {
  let done = 0;
  while (done < bytes.length) done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

async function stored<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw AiloError.of('STATE_NOT_STORED', { reason: (error as Error).message }, error);
  }
}
