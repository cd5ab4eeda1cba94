import { describe, expect, it } from 'vitest';
import { spaceValues } from '../codec/space.ts';
import { decodeAll, encodeAll, randomValues, SPACE, SPARSE } from '../codec/testing.ts';
import { sharesOf } from './similarity.ts';
import { pseudoGradient } from './testing.ts';

const DOWNLINK = { codec: 'sparse', keep: 256 } as const;
const sent = async (values: Float32Array, format: typeof SPARSE | typeof DOWNLINK = SPARSE) => {
  const bytes = await encodeAll(values, { format });
  return { open: () => [bytes], format };
};
const part = (values: Float32Array, every: number) => values.map((value, i) => (i % every === 0 ? value : 0));

describe('what an update has of others', () => {
  it('is all of it for a copy, for a part of one, and where only magnitudes differ', async () => {
    const original = randomValues(spaceValues(SPACE), 1);
    const crossed = await decodeAll([await encodeAll(original)]);
    const louder = crossed.map((value, i) => value * (1 + (i % 3)));
    const updates = await Promise.all([original, louder, part(crossed, 5)].map((values) => sent(values)));
    const { among } = await sharesOf(updates, [], SPACE, SPARSE);
    expect([...among.subarray(0, 2), ...among.subarray(3, 5), ...among.subarray(6)]).toEqual(Array(7).fill(1));
    // Of the whole, the part has only a part.
    expect(among[2]).toBeLessThan(0.3);
  });

  it('is less than nothing for its negative, and little for what others found', async () => {
    const mine = pseudoGradient(1);
    const updates = await Promise.all([mine, mine.map((value) => -value), pseudoGradient(2)].map((v) => sent(v)));
    const { among } = await sharesOf(updates, [], SPACE, SPARSE);
    expect(among[1]).toBe(-1);
    expect(among[2]).toBeLessThan(0.5);
  });

  it('of several that were published is taken together, in a format of their own', async () => {
    const [one, other] = [1, 2].map((seed) => part(randomValues(spaceValues(SPACE), seed), 2)) as [
      Float32Array,
      Float32Array,
    ];
    const shifted = new Float32Array(other.length);
    shifted.set(other.subarray(0, -1), 1);
    const mixed = one.map((value, i) => value + shifted[i]!);
    const published = [await sent(one, DOWNLINK), await sent(shifted, DOWNLINK)];
    const updates = [await sent(mixed), await sent(pseudoGradient(7)), await sent(new Float32Array(one.length))];
    const shares = await sharesOf(updates, published, SPACE, SPARSE);
    expect(shares.published[0]).toBeGreaterThan(0.99);
    expect(Math.abs(shares.published[1]!)).toBeLessThan(0.2);
    expect(shares.published[2]).toBe(0);
  });
});
