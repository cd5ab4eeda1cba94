import { describe, expect, test } from 'vitest';
import { type Diligence, isIdle, remember, seenAgain } from './diligence.ts';
import { DILIGENCE_ROUNDS, MAX_DILIGENCES } from './limits.ts';

/** After so many rounds with shares like these. */
function knownAfter(rounds: number, ...shares: number[]): Diligence {
  let diligence: Diligence | undefined;
  for (let round = 0; round < rounds; round++) diligence = seenAgain(diligence, shares[round % shares.length]!);
  return diligence!;
}

describe('diligence', () => {
  test('is the mean of the first rounds, then forgets what is long ago', () => {
    expect(knownAfter(3, 1)).toEqual({ score: 1, rounds: 3 });
    expect(seenAgain({ score: 1, rounds: 1 }, 0)).toEqual({ score: 0.5, rounds: 2 });
    let diligence = knownAfter(50, 1);
    for (let round = 0; round < 20; round++) diligence = seenAgain(diligence, 0);
    expect(diligence.score).toBeLessThan(0.05);
  });

  test('of one round is from -1 to 1, and least where there is no number', () => {
    expect([5, -5, Number.NaN].map((share) => seenAgain(undefined, share).score)).toEqual([1, -1, -1]);
  });

  test('tells who trains from who has no more of his own text than chance gives', () => {
    expect(isIdle(knownAfter(20, 1, 0.6, 1, -0.1))).toBe(false);
    expect(isIdle(knownAfter(20, 0.5, -0.4, 0.1))).toBe(true);
  });

  test('calls nobody idle before there are enough rounds', () => {
    expect(isIdle(knownAfter(DILIGENCE_ROUNDS - 1, 0))).toBe(false);
    expect(isIdle(knownAfter(DILIGENCE_ROUNDS, 0))).toBe(true);
  });

  test('of too many wallets is kept for those that were seen last', () => {
    const many = Array.from({ length: MAX_DILIGENCES }, (_, i) => [`${i}`, { score: 0, rounds: 1 }] as const);
    let all: ReadonlyMap<string, Diligence> = new Map(many);
    all = remember(all, '0', { score: 1, rounds: 2 });
    all = remember(all, 'another', { score: 1, rounds: 1 });
    expect(all.size).toBe(MAX_DILIGENCES);
    expect([all.get('0')?.score, all.has('1'), all.has('another')]).toEqual([1, false, true]);
  });
});
