import { expect, it } from 'vitest';
import { encodeUpdate } from '../codec/encode.ts';
import { spaceValues } from '../codec/space.ts';
import { memoryStore } from '../codec/store.ts';
import { cut, decodeAll, encodeAll, headerOf, joined, randomValues, SPACE, SPARSE } from '../codec/testing.ts';
import { aggregate } from './aggregate.ts';
import { applyUpdate } from './apply.ts';
import { confirmedMean } from './rules.ts';
import { contributionOf } from './testing.ts';

const WORKERS = 4;
const ROUNDS = 12;
const DOWNLINK = { codec: 'sparse', keep: 256 } as const;
const count = spaceValues(SPACE);
const distance = (a: Float32Array, b: Float32Array) => Math.sqrt(a.reduce((sum, x, i) => sum + (x - b[i]!) ** 2, 0));

/** Every worker walks some way from the weights to a goal of its own near the common one. */
it('nodes that cut the bytes differently hold the same bits round after round, and come nearer to the goal', async () => {
  const start = randomValues(count, 1, 1);
  const goal = randomValues(count, 2, 1);
  const goals = Array.from({ length: WORKERS }, (_, k) => randomValues(count, 10 + k, 0.1).map((x, i) => x + goal[i]!));
  const feedback = goals.map(() => new Float32Array(count));
  const behind = memoryStore(new Float32Array(count));
  const [one, two, summed] = [start.slice(), start.slice(), start.slice()];
  for (let round = 0; round < ROUNDS; round++) {
    const cohort = await Promise.all(
      goals.map(async (own, k) => {
        const delta = one.map((w, i) => 0.02 * (w - own[i]!));
        const bytes = await encodeAll(delta, { header: headerOf(k + 1, round), feedback: feedback[k]! });
        return contributionOf(bytes, k + 1);
      }),
    );
    const chunks: Uint8Array[] = [];
    const joint = aggregate(cohort, SPACE, SPARSE, confirmedMean);
    for await (const chunk of encodeUpdate(headerOf(0, round), SPACE, DOWNLINK, joint, behind)) chunks.push(chunk);
    const bytes = joined(chunks);
    await applyUpdate(chunks, SPACE, DOWNLINK, memoryStore(one));
    const { round: told } = await applyUpdate(cut(bytes, 1, 7, 300), SPACE, DOWNLINK, memoryStore(two));
    expect(told).toBe(round);
    expect(two).toEqual(one);
    for (const [i, value] of (await decodeAll([bytes], SPACE, DOWNLINK)).entries()) summed[i]! -= value;
  }
  expect(summed).toEqual(one);
  expect(distance(one, goal)).toBeLessThan(0.98 * distance(start, goal));
});
