/** Token buckets, as pure functions over plain state, and a bounded table of them by key. */
import type { BucketRule } from './limits.ts';

export interface Bucket {
  tokens: number;
  atMs: number;
}

/** Takes `cost` tokens. Without enough of them nothing is taken, and `retryAfterMs` says when there will be. */
export function take(
  bucket: Bucket | undefined,
  rule: BucketRule,
  nowMs: number,
  cost = 1,
): { bucket: Bucket; retryAfterMs: number } {
  const before = bucket ?? { tokens: rule.capacity, atMs: nowMs };
  // A clock that went back must not take tokens away.
  const elapsedMs = Math.max(0, nowMs - before.atMs);
  const tokens = Math.min(rule.capacity, before.tokens + (elapsedMs / 1000) * rule.perSecond);
  if (tokens >= cost) return { bucket: { tokens: tokens - cost, atMs: nowMs }, retryAfterMs: 0 };
  return { bucket: { tokens, atMs: nowMs }, retryAfterMs: Math.ceil(((cost - tokens) / rule.perSecond) * 1000) };
}

/** Buckets by key, at most `maxKeys`: the key untouched for longest is forgotten first. */
export class RateLimiter {
  readonly #rule: BucketRule;
  readonly #maxKeys: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rule: BucketRule, maxKeys: number) {
    this.#rule = rule;
    this.#maxKeys = maxKeys;
  }

  /** What `take` would answer; takes nothing. */
  wait(key: string, nowMs: number, cost = 1): number {
    return take(this.#buckets.get(key), this.#rule, nowMs, cost).retryAfterMs;
  }

  /** 0 when `key` may go on, otherwise the time (ms) after which it may. */
  take(key: string, nowMs: number, cost = 1): number {
    const { bucket, retryAfterMs } = take(this.#buckets.get(key), this.#rule, nowMs, cost);
    // Deleting first keeps the map in the order of last use.
    this.#buckets.delete(key);
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#maxKeys) this.#buckets.delete(this.#buckets.keys().next().value!);
    return retryAfterMs;
  }
}
