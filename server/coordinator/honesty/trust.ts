/** What is known of a wallet's honesty, and what follows from it. Pure. */
import { BAN_MS, LEAST_RATE, MAX_BAN_MS, MAX_DISPUTES, MAX_PASSES, PASSES_PER_HALVING } from './limits.ts';

export interface Trust {
  /** Checks passed since the last thing that was held against it. */
  passes: number;
  /** Times it was caught. */
  strikes: number;
  /** Unix time; it contributes nothing before. */
  bannedUntilMs: number;
  /** Others who said differently what passed between them and it, and nobody could tell who lied. */
  disputedWith: readonly string[];
}

export const UNKNOWN: Trust = { passes: 0, strikes: 0, bannedUntilMs: 0, disputedWith: [] };

/** The share of its answers that is checked. */
export function checkRate({ passes }: Trust): number {
  return Math.max(LEAST_RATE, PASSES_PER_HALVING / (PASSES_PER_HALVING + passes));
}

export function passed(trust: Trust): Trust {
  return { ...trust, passes: Math.min(MAX_PASSES, trust.passes + 1) };
}

/** It did not show what it was asked for: it has to earn its trust anew. */
export function silent(trust: Trust): Trust {
  return { ...trust, passes: 0 };
}

/** It gave a wrong answer, or lied about one. */
export function caught(trust: Trust, nowMs: number): Trust {
  const banMs = Math.min(MAX_BAN_MS, BAN_MS * 2 ** Math.min(trust.strikes, 30));
  return { passes: 0, strikes: trust.strikes + 1, bannedUntilMs: nowMs + banMs, disputedWith: [] };
}

/** It and `other` differ. Whoever meets only liars is unlucky; whoever differs with everybody is one. */
export function disputed(trust: Trust, other: string, nowMs: number): Trust {
  const disputedWith = [...new Set([...trust.disputedWith, other])];
  return disputedWith.length < MAX_DISPUTES ? { ...trust, passes: 0, disputedWith } : caught(trust, nowMs);
}

export function isBanned({ bannedUntilMs }: Trust, nowMs: number): boolean {
  return nowMs < bannedUntilMs;
}
