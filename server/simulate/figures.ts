/** What a simulation says of itself. Pure. */

/** When each token of the answer arrived, ms of one clock. */
export interface Timeline {
  askedMs: number;
  tokensMs: readonly number[];
}

export interface Speed {
  firstTokenMs: number;
  /** Of all tokens after the first, pauses included. */
  tokensPerSecond: number;
  /** Time between one token and the next. */
  tokenMsP50: number;
  tokenMsP95: number;
}

export function speedOf({ askedMs, tokensMs }: Timeline): Speed {
  const firstMs = tokensMs[0] ?? askedMs;
  const steps = tokensMs.slice(1).map((atMs, i) => atMs - tokensMs[i]!);
  const totalMs = (tokensMs.at(-1) ?? firstMs) - firstMs;
  return {
    firstTokenMs: firstMs - askedMs,
    tokensPerSecond: totalMs > 0 ? (1000 * steps.length) / totalMs : 0,
    tokenMsP50: percentile(steps, 0.5),
    tokenMsP95: percentile(steps, 0.95),
  };
}

/**
 * The most tokens a second that latency allows without speculation. A token goes once around the ring: from each stage to
 * the next, and from the last back to the first. So its floor is the sum of the one-way latencies of `stages` links,
 * without jitter, losses and any computing. A single stage has no link.
 */
export function latencyFloor(stages: number, latencyMs: number): { tokenMs: number; tokensPerSecond: number | null } {
  const tokenMs = stages > 1 ? stages * latencyMs : 0;
  return { tokenMs, tokensPerSecond: tokenMs > 0 ? 1000 / tokenMs : null };
}

/** The smallest value that so large a share does not exceed (nearest rank); 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

/** Tokens of the expected answer that did not arrive in their place. */
export function tokensLost(expected: readonly number[], answer: readonly number[]): number {
  return expected.filter((token, index) => answer[index] !== token).length;
}
