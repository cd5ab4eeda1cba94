/** One file from the web into a folder: resumed where it broke off, checked, and in its place only when whole. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { AiloError } from '../../shared/errors/index.ts';
import { type StallGuard, stallGuard } from '../../shared/model/stall.ts';

export interface RemoteFile {
  /** For errors. */
  path: string;
  url: string;
  headers: Record<string, string>;
  bytes: number;
  /** Hex; checked where the server promised it. */
  sha256?: string;
}

/** Attempts in a row that bring not one byte. */
const MAX_FAILURES = 5;
const FIRST_RETRY_MS = 250;

/** An answer that asking again does not change. */
class Refused extends Error {}

/**
 * Downloads to `place` unless it is there. What has arrived stays in `place.part` when it is cancelled or fails, and
 * is not asked for again. Throws MODEL_SOURCE_FAILED, CANCELLED.
 */
export async function download(
  file: RemoteFile,
  place: string,
  onProgress: (loadedBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if ((await sizeOf(place)) === file.bytes) return onProgress(file.bytes);
  await mkdir(dirname(place), { recursive: true });
  const part = `${place}.part`;
  for (let failures = 0; ; ) {
    throwIfCancelled(signal);
    const before = (await sizeOf(part)) ?? 0;
    try {
      if (before !== file.bytes || file.bytes === 0) await fetchRest(file, part, before, onProgress, signal);
      break;
    } catch (error) {
      throwIfCancelled(signal);
      if (error instanceof AiloError) throw error;
      failures = ((await sizeOf(part)) ?? 0) > before ? 0 : failures + 1;
      if (error instanceof Refused || failures >= MAX_FAILURES)
        throw failed(file.path, (error as Error).message, error);
      await sleep(failures * FIRST_RETRY_MS);
    }
  }
  await verify(file, part);
  await rename(part, place);
}

/** Appends what is missing. Any error but an AiloError or a refusal is worth another attempt. */
async function fetchRest(
  file: RemoteFile,
  part: string,
  from: number,
  onProgress: (loadedBytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  if (from > file.bytes) {
    await rm(part);
    throw new Error('there were more bytes than it has');
  }
  const guard = stallGuard(signal);
  const headers = from === 0 ? file.headers : { ...file.headers, Range: `bytes=${from}-` };
  try {
    const response = await fetch(file.url, { headers, signal: guard.signal });
    const resumed = response.status === 206;
    if (!resumed && response.status !== 200) {
      await response.body?.cancel();
      const message = `the server answered with status ${response.status}`;
      const lasting = response.status >= 400 && response.status < 500 && ![408, 416, 429].includes(response.status);
      throw lasting ? new Refused(message) : new Error(message);
    }
    if (resumed && !response.headers.get('content-range')?.startsWith(`bytes ${from}-`)) {
      await response.body?.cancel();
      throw new Refused('the server sent another part of it');
    }
    const target = await open(part, resumed ? 'a' : 'w');
    try {
      await append(response, target, resumed ? from : 0, file, guard, onProgress);
      await target.sync();
    } finally {
      await target.close();
    }
  } finally {
    guard.done();
  }
}

async function append(
  response: Response,
  target: FileHandle,
  from: number,
  file: RemoteFile,
  guard: StallGuard,
  onProgress: (loadedBytes: number) => void,
): Promise<void> {
  let loaded = from;
  for await (const bytes of response.body ?? []) {
    guard.progress();
    loaded += bytes.length;
    if (loaded > file.bytes) throw new Refused('the server sent more than it promised');
    await target.appendFile(bytes);
    onProgress(loaded);
  }
  if (loaded < file.bytes) throw new Error(`only ${loaded} of ${file.bytes} bytes arrived`);
}

async function verify(file: RemoteFile, part: string): Promise<void> {
  if (file.sha256 === undefined) return;
  const hash = createHash('sha256');
  await pipeline(createReadStream(part), hash);
  if (hash.digest('hex') === file.sha256) return;
  await rm(part);
  throw failed(file.path, 'what arrived is not what the server promised, so it was thrown away');
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function failed(path: string, reason: string, cause?: unknown): AiloError {
  return AiloError.of('MODEL_SOURCE_FAILED', { path, reason }, cause);
}
