import { STALL_TIMEOUT_MS } from './limits.ts';

export interface StallGuard {
  signal: AbortSignal;
  /** Something arrived. */
  progress(): void;
  /** It ended, well or badly. */
  done(): void;
}

/** A signal that fires with the caller's, or when `progress` was not called for STALL_TIMEOUT_MS. */
export function stallGuard(signal: AbortSignal | undefined): StallGuard {
  const stalled = new AbortController();
  const start = () => setTimeout(() => stalled.abort(), STALL_TIMEOUT_MS);
  let timer = start();
  return {
    signal: signal === undefined ? stalled.signal : AbortSignal.any([signal, stalled.signal]),
    progress: () => {
      clearTimeout(timer);
      timer = start();
    },
    done: () => clearTimeout(timer),
  };
}
