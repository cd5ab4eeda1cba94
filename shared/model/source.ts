import { AiloError } from '../errors/index.ts';
import { stallGuard } from './stall.ts';
import type { ModelSource } from './types.ts';

export interface HttpSourceOptions {
  fetch: typeof fetch;
  urlOf: (path: string) => string;
}

/**
 * A model behind a web server that answers Range requests (RFC 9110 §14). Every answer is checked against what was
 * asked for before it is read, is read no further than that, and is given up when nothing arrives any more.
 */
export function httpSource({ fetch, urlOf }: HttpSourceOptions): ModelSource {
  const request = async <T>(
    path: string,
    headers: Record<string, string>,
    signal: AbortSignal | undefined,
    use: (response: Response, progress: () => void) => Promise<T>,
  ): Promise<T> => {
    const guard = stallGuard(signal);
    try {
      const response = await fetch(urlOf(path), { headers, signal: guard.signal });
      guard.progress();
      try {
        return await use(response, guard.progress);
      } catch (error) {
        await response.body?.cancel().catch(() => undefined);
        throw error;
      }
    } catch (error) {
      if (error instanceof AiloError) throw error;
      if (signal?.aborted) throw AiloError.of('CANCELLED', {}, error);
      throw failed(path, guard.signal.aborted ? 'the server stopped sending' : (error as Error).message, error);
    } finally {
      guard.done();
    }
  };
  return {
    readFile: (path, limitBytes, signal) =>
      request(path, {}, signal, (response, progress) => {
        requireStatus(response, 200, path);
        return readBounded(response, path, limitBytes, progress);
      }),
    async readRange(path, start, end, signal) {
      if (!(start >= 0 && end >= start)) throw failed(path, `there is no range ${start}–${end}`);
      if (start === end) return new Uint8Array();
      return request(path, { Range: `bytes=${start}-${end - 1}` }, signal, async (response, progress) => {
        requireStatus(response, 206, path);
        const range = contentRange(response);
        if (range?.start !== start || range.end !== end) throw failed(path, 'the server sent another part of it');
        return readExactly(response, path, end - start, progress);
      });
    },
    size: (path, signal) =>
      request(path, { Range: 'bytes=0-0' }, signal, async (response) => {
        await response.body?.cancel();
        if (response.status === 416) return emptyFile(response, path);
        requireStatus(response, 206, path);
        const size = contentRange(response)?.size;
        if (size === undefined) throw failed(path, 'the server does not tell its size');
        return size;
      }),
  };
}

function requireStatus(response: Response, status: number, path: string): void {
  if (response.status === 404) throw AiloError.of('MODEL_FILE_MISSING', { path });
  if (response.status !== status) throw failed(path, `the server answered with status ${response.status}`);
}

/** `bytes 0-499/1234` → start 0, end 500 (exclusive), size 1234. */
function contentRange(response: Response): { start: number; end: number; size: number } | undefined {
  const match = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/.exec(response.headers.get('content-range') ?? '');
  if (match === null) return undefined;
  return { start: Number(match[1]), end: Number(match[2]) + 1, size: Number(match[3]) };
}

/** An empty file has no byte 0 to ask for: 416 with an unsatisfied range of size 0. */
function emptyFile(response: Response, path: string): number {
  if (response.headers.get('content-range') === 'bytes */0') return 0;
  throw failed(path, 'the server does not tell its size');
}

async function readExactly(response: Response, path: string, length: number, progress: () => void) {
  const bytes = new Uint8Array(length);
  let at = 0;
  for await (const part of parts(response, progress)) {
    if (at + part.length > length) throw failed(path, 'the server sent more than it was asked for');
    bytes.set(part, at);
    at += part.length;
  }
  if (at < length) throw failed(path, `only ${at} of ${length} bytes arrived`);
  return bytes;
}

async function readBounded(response: Response, path: string, limitBytes: number, progress: () => void) {
  const tooLarge = (bytes: number) => AiloError.of('MODEL_FILE_TOO_LARGE', { path, bytes, limitBytes });
  const announced = Number(response.headers.get('content-length') ?? 0);
  if (announced > limitBytes) throw tooLarge(announced);
  const received: Uint8Array[] = [];
  let length = 0;
  for await (const part of parts(response, progress)) {
    length += part.length;
    if (length > limitBytes) throw tooLarge(length);
    received.push(part);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of received) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

async function* parts(response: Response, progress: () => void): AsyncGenerator<Uint8Array, void, void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      progress();
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}

function failed(path: string, reason: string, cause?: unknown): AiloError {
  return AiloError.of('MODEL_SOURCE_FAILED', { path, reason }, cause);
}
