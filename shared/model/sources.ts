/** Places that may have the same bytes, asked in order: one that failed is left out for a while. */
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError, toAiloError } from '../errors/index.ts';
import { FIRST_SOURCE_BAN_MS, LAST_SOURCE_BAN_MS } from './limits.ts';
import type { ModelSource } from './types.ts';

export type Ranges = Pick<ModelSource, 'readRange'>;

export interface Sources {
  /**
   * What `use` makes of the first source with which it does not throw. Where all fail it throws what the first one
   * threw: that is the one that should have had it. Throws CANCELLED.
   */
  try<T>(use: (source: Ranges) => Promise<T>, signal?: AbortSignal): Promise<T>;
}

interface Failures {
  untilMs: number;
  banMs: number;
}

/**
 * `now` in milliseconds. A source that failed is asked again after a second, then two, four …, at most a few minutes, and
 * at once where no other is left.
 */
export function inOrder(sources: readonly Ranges[], now: () => number): Sources {
  const failures = new Map<Ranges, Failures>();

  function failed(source: Ranges): void {
    const banMs = Math.min(LAST_SOURCE_BAN_MS, 2 * (failures.get(source)?.banMs ?? FIRST_SOURCE_BAN_MS / 2));
    failures.set(source, { banMs, untilMs: now() + banMs });
  }

  return {
    async try(use, signal) {
      const isBanned = (source: Ranges) => (failures.get(source)?.untilMs ?? 0) > now();
      const [good, banned] = [sources.filter((source) => !isBanned(source)), sources.filter(isBanned)];
      const errors = new Map<Ranges, AiloError>();
      for (const source of [...good, ...banned]) {
        try {
          const result = await use(source);
          failures.delete(source);
          return result;
        } catch (thrown) {
          throwIfCancelled(signal);
          errors.set(source, toAiloError(thrown));
          failed(source);
        }
      }
      throw errors.get(sources[0]!) ?? AiloError.of('MODEL_SOURCE_FAILED', { path: '', reason: 'there is no source' });
    },
  };
}
