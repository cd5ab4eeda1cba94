import { AiloError } from '../errors/index.ts';
import type { ModelSource } from './types.ts';

/** A file that not every model has; undefined where it is missing. Throws the source's other errors. */
export async function readOptional(
  source: ModelSource,
  path: string,
  limitBytes: number,
  signal?: AbortSignal,
): Promise<Uint8Array | undefined> {
  return ifPresent(source.readFile(path, limitBytes, signal));
}

/** What `read` gives, or undefined when it says MODEL_FILE_MISSING. */
export async function ifPresent<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (error instanceof AiloError && error.code === 'MODEL_FILE_MISSING') return undefined;
    throw error;
  }
}
