/** The network between neighbours that a simulation makes up: what a message waits for, and a socket that waits. */

import type { NodeSocket } from '../../shared/node/dial.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { MAX_RESENDS, MIN_RESEND_MS } from './limits.ts';

export interface LinkOptions {
  /** One way, between two neighbours. */
  latencyMs: number;
  /** Each message takes up to so much more or less. */
  jitterMs: number;
  /** The share of messages that is lost and sent again. */
  lossRate: number;
}

/**
 * What a message is under way, ms: latency ± jitter, uniform, and for each time that it is lost what TCP waits before it
 * sends again, a round trip and 200 ms, doubling (RFC 6298 with Linux's least timeout). `uniform` is in [0, 1).
 */
export function delayOf({ latencyMs, jitterMs, lossRate }: LinkOptions, uniform: () => number): number {
  let delayMs = Math.max(0, latencyMs + (2 * uniform() - 1) * jitterMs);
  let resendMs = 2 * latencyMs + MIN_RESEND_MS;
  for (let lost = 0; lost < MAX_RESENDS && uniform() < lossRate; lost++) {
    delayMs += resendMs;
    resendMs *= 2;
  }
  return delayMs;
}

/** `delayOf`, one message after the other. */
export function delays(options: LinkOptions, seed: number): () => number {
  const random = seededRandom(seed);
  return () => delayOf(options, () => random() / 2 ** 32);
}

export interface Waiting {
  delayMs: () => number;
  /** Milliseconds of a steady clock. */
  now: () => number;
  schedule: Schedule;
}

/**
 * Calls `deliver` for each item after its delay. Items keep their order, as on one TCP connection: one that is late holds
 * up those behind it.
 */
export function delayed<T>(deliver: (item: T) => void, { delayMs, now, schedule }: Waiting): (item: T) => void {
  const waiting: { item: T; dueMs: number }[] = [];
  let lastDueMs = 0;

  function wake() {
    while (waiting.length > 0 && waiting[0]!.dueMs <= now()) deliver(waiting.shift()!.item);
    // A timer may fire a little early; what it is for never does.
    if (waiting.length > 0) schedule(wake, Math.max(0, waiting[0]!.dueMs - now()));
  }

  return (item) => {
    lastDueMs = Math.max(lastDueMs, now() + delayMs());
    waiting.push({ item, dueMs: lastDueMs });
    if (waiting.length === 1) schedule(wake, lastDueMs - now());
  };
}

/** A socket whose messages arrive late. */
export function delayedSocket(socket: NodeSocket, waiting: Waiting): NodeSocket {
  return {
    on(event, listener) {
      return socket.on(
        event,
        event === 'message' ? delayed((envelope: unknown) => listener(envelope), waiting) : listener,
      );
    },
    emit: (event, ...args) => socket.emit(event, ...args),
    disconnect: () => socket.disconnect(),
  };
}
