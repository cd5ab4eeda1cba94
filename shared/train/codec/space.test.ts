import { bytesToHex } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { slabOffset } from './decode.ts';
import { blocksOf, slabsOf, spaceHash, spaceValues } from './space.ts';
import { SPACE } from './testing.ts';

test('slabs cover the space once, in order, and positions every place of a slab once', () => {
  let next = 0;
  for (const slab of slabsOf(SPACE)) {
    expect(slab.start).toBe(next);
    const size = slab.rows * slab.columns;
    next += size;
    const offsets = Array.from({ length: size }, (_, position) => slabOffset(slab, position));
    expect(offsets.toSorted((a, b) => a - b)).toEqual([...offsets.keys()]);
    expect(blocksOf(slab)).toBe(Math.ceil(slab.columns / slab.blockColumns));
  }
  expect(next).toBe(spaceValues(SPACE));
});

test('the hash tells names, shapes and their order apart', () => {
  const hashes = [
    SPACE,
    SPACE.toReversed(),
    SPACE.slice(1),
    [{ name: 'a', shape: [2, 3] }],
    [{ name: 'a', shape: [3, 2] }],
    [{ name: 'a', shape: [6] }],
    [{ name: 'a\n', shape: [6] }],
  ].map((space) => bytesToHex(spaceHash(space)));
  expect(new Set(hashes).size).toBe(hashes.length);
});

test.each([
  [[]],
  [[{ name: 'a', shape: [0] }]],
  [[{ name: 'a', shape: [1.5] }]],
  [[{ name: 'a', shape: [2, 2 ** 19] }]],
])('is no space: %j', (space) => {
  expect(() => [...slabsOf(space)]).toThrow(RangeError);
});
