import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../shared/sampler/random.ts';
import { type Diligence, isIdle, remember, seenAgain } from './diligence.ts';
import { DILIGENCE_ROUNDS, MAX_DILIGENCES } from './limits.ts';

const gains = (assignedGain: number, elsewhereGain: number) => ({ assignedGain, elsewhereGain });

/** After so many rounds, of which each gains more on its own text with the probability `share`. */
function knownAfter(rounds: number, share: number, seed: number): Diligence {
  const random = seededRandom(seed);
  let diligence: Diligence | undefined;
  for (let round = 0; round < rounds; round++) {
    diligence = seenAgain(diligence, random() / 2 ** 32 < share ? gains(2, 1) : gains(1, 2));
  }
  return diligence!;
}

describe('diligence', () => {
  test('is the mean of the first rounds, then forgets what is long ago', () => {
    expect(knownAfter(3, 1, 1)).toEqual({ score: 1, rounds: 3 });
    expect(seenAgain({ score: 1, rounds: 1 }, gains(1, 2))).toEqual({ score: 0, rounds: 2 });
    let { score, rounds } = knownAfter(50, 1, 1);
    for (let round = 0; round < 20; round++) ({ score, rounds } = seenAgain({ score, rounds }, gains(1, 2)));
    expect(score).toBeLessThan(-0.95);
  });

  test('says nothing of what gained nothing, or cannot be measured', () => {
    for (const none of [gains(1, 1), gains(Number.NaN, 1)]) {
      expect(seenAgain(undefined, none)).toEqual({ score: 0, rounds: 1 });
    }
  });

  test('calls nobody idle before there are enough rounds', () => {
    expect(isIdle(knownAfter(DILIGENCE_ROUNDS - 1, 0, 1))).toBe(false);
    expect(isIdle(knownAfter(DILIGENCE_ROUNDS, 0, 1))).toBe(true);
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
