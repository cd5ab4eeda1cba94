import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ParameterStore } from '../../shared/train/codec/store.ts';

export interface FileStore extends ParameterStore {
  /** What was written is on the disk. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The values of a parameter space in a file, f32 little-endian. Reading beyond its end throws RangeError. */
export async function openFileStore(path: string): Promise<FileStore> {
  const file = await open(path, 'r+');
  return {
    async read(start, into) {
      const bytes = new Uint8Array(into.buffer, into.byteOffset, into.byteLength);
      const { bytesRead } = await file.read(bytes, 0, bytes.length, 4 * start);
      if (bytesRead < bytes.length) throw new RangeError(`${path} ends before value ${start + into.length}`);
    },
    async write(start, values) {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
      await file.write(bytes, 0, bytes.length, 4 * start);
    },
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

/** SHA-256 of a file, hex. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}
