import { describe, expect, test } from 'vitest';
import { type Diligence, isIdle, remember, seenAgain } from './diligence.ts';
import { MAX_DILIGENCES } from './limits.ts';

/** After so many rounds in which the median's advantage is 0.4, and the wallet's these in turn. */
function knownAfter(rounds: number, ...advantages: number[]): Diligence {
  let diligence: Diligence | undefined;
  for (let round = 0; round < rounds; round++) {
    diligence = seenAgain(diligence, { own: advantages[round % advantages.length]!, median: 0.4 });
  }
  return diligence!;
}
const slope = ({ learned, expected }: Diligence) => learned / expected;

describe('diligence', () => {
  test('is the slope of a line through the advantages, and forgets what is long ago', () => {
    expect(slope(knownAfter(3, 0.4))).toBeCloseTo(1, 12);
    expect(slope(knownAfter(20, 0.1))).toBeCloseTo(0.25, 12);
    let diligence = knownAfter(50, 0.4);
    for (let round = 0; round < 20; round++) diligence = seenAgain(diligence, { own: 0, median: 0.4 });
    expect(slope(diligence)).toBeLessThan(0.05);
  });

  test('of one round is at most the median’s, and least where there is no number', () => {
    const slopes = [5, -5, Number.NaN].map((own) => slope(seenAgain(undefined, { own, median: 0.4 })));
    expect(slopes).toEqual([1, -1, -1]);
  });

  test('tells who trains from who has no more of his own text than chance gives', () => {
    expect(isIdle(knownAfter(20, 0.4, 0.3, 0.5, -0.1))).toBe(false);
    expect(isIdle(knownAfter(20, 0.2, -0.2, 0.05))).toBe(true);
  });

  test('calls nobody idle while there is too little to tell by', () => {
    expect(isIdle(knownAfter(1, 0))).toBe(false);
    expect(isIdle(knownAfter(4, 0))).toBe(true);
    let faint: Diligence | undefined;
    for (let round = 0; round < 100; round++) faint = seenAgain(faint, { own: 0, median: 0.1 });
    expect(isIdle(faint!)).toBe(false);
  });

  test('of too many wallets is kept for those that were seen last', () => {
    const many = Array.from({ length: MAX_DILIGENCES }, (_, i) => [`${i}`, { learned: 0, expected: 1 }] as const);
    let all: ReadonlyMap<string, Diligence> = new Map(many);
    all = remember(all, '0', { learned: 1, expected: 1 });
    all = remember(all, 'another', { learned: 1, expected: 1 });
    expect(all.size).toBe(MAX_DILIGENCES);
    expect([all.get('0')?.learned, all.has('1'), all.has('another')]).toEqual([1, false, true]);
  });
});
