import { AiloError } from './index.ts';

/** Throws CANCELLED, with the signal's reason as the cause, once the signal was aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw AiloError.of('CANCELLED', {}, signal.reason);
}
