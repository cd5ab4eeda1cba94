import { type FileHandle, open, realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { AiloError } from '../../shared/errors/index.ts';
import type { ModelSource } from '../../shared/model/types.ts';

/**
 * A model in a folder of this machine. Nothing outside the folder is read, neither by `..` nor through a symbolic
 * link: what it cannot reach is MODEL_FILE_MISSING.
 */
export function folderSource(folder: string): ModelSource {
  return {
    readFile: (path, limitBytes, signal) =>
      withFile(folder, path, signal, async (file) => {
        const bytes = (await file.stat()).size;
        if (bytes > limitBytes) throw AiloError.of('MODEL_FILE_TOO_LARGE', { path, bytes, limitBytes });
        return readFully(file, path, 0, bytes);
      }),
    readRange: (path, start, end, signal) =>
      withFile(folder, path, signal, (file) => readFully(file, path, start, end - start)),
    size: (path, signal) => withFile(folder, path, signal, async (file) => (await file.stat()).size),
  };
}

async function withFile<T>(
  folder: string,
  path: string,
  signal: AbortSignal | undefined,
  use: (file: FileHandle) => Promise<T>,
): Promise<T> {
  throwIfCancelled(signal);
  let file: FileHandle;
  try {
    const real = await realpath(resolve(folder, path));
    if (!real.startsWith((await realpath(folder)) + sep)) throw AiloError.of('MODEL_FILE_MISSING', { path });
    file = await open(real, 'r');
  } catch (error) {
    if (isMissing(error)) throw AiloError.of('MODEL_FILE_MISSING', { path }, error);
    throw asSourceError(path, error);
  }
  try {
    if (!(await file.stat()).isFile()) throw AiloError.of('MODEL_FILE_MISSING', { path });
    return await use(file);
  } catch (error) {
    throw asSourceError(path, error);
  } finally {
    await file.close();
  }
}

async function readFully(file: FileHandle, path: string, start: number, length: number): Promise<Uint8Array> {
  const size = (await file.stat()).size;
  if (start < 0 || length < 0 || start + length > size) {
    throw AiloError.of('MODEL_SOURCE_FAILED', { path, reason: `it has only ${size} bytes` });
  }
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, start + at);
    if (bytesRead === 0) throw AiloError.of('MODEL_SOURCE_FAILED', { path, reason: 'it became shorter' });
    at += bytesRead;
  }
  return bytes;
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP';
}

function asSourceError(path: string, error: unknown): AiloError {
  if (error instanceof AiloError) return error;
  return AiloError.of('MODEL_SOURCE_FAILED', { path, reason: (error as Error).message }, error);
}
