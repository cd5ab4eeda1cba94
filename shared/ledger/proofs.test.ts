import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TILE_ENTRIES } from './limits.ts';
import { CompactRange, hashLeaf } from './merkle.ts';
import { consistencyProof, inclusionProof, type NodeHash, verifyConsistency, verifyInclusion } from './merkle-proof.ts';
import { tileNodes } from './proofs.ts';

/** 35 full tiles and one begun: enough for nodes over more than 16 tiles. */
const SIZE = 35 * TILE_ENTRIES + 100;
const leaves = Array.from({ length: SIZE }, (_, i) => hashLeaf(new TextEncoder().encode(`entry ${i}`)));

function rootOf(some: readonly Uint8Array[]): Uint8Array {
  const range = new CompactRange();
  for (const leaf of some) range.append(leaf);
  return range.root();
}
const plain: NodeHash = (level, index) => rootOf(leaves.slice(index * 2 ** level, (index + 1) * 2 ** level));
const leavesOf = (tile: number, size = SIZE) =>
  leaves.slice(tile * TILE_ENTRIES, Math.min(size, (tile + 1) * TILE_ENTRIES));
const roots = Array.from({ length: SIZE / TILE_ENTRIES }, (_, tile) => rootOf(leavesOf(tile)));

/** Sizes, often at the edges of tiles. */
const size = fc
  .tuple(fc.nat(Math.floor(SIZE / TILE_ENTRIES)), fc.oneof(fc.constantFrom(0, 1, 255), fc.nat(255)))
  .map(([tile, rest]) => Math.min(SIZE, Math.max(1, tile * TILE_ENTRIES + rest)));

/** What a proof in the tree of `n` asked for. */
function watched(n: number) {
  const asked = new Set<number>();
  const node = tileNodes({
    leaves: (tile) => {
      asked.add(tile);
      return leavesOf(tile, n);
    },
    root: (tile) => {
      expect((tile + 1) * TILE_ENTRIES).toBeLessThanOrEqual(n);
      return roots[tile]!;
    },
  });
  return { asked, node };
}

test('proofs from tiles are those from all leaves, hold, and read the leaves of two tiles at most', () => {
  fc.assert(
    fc.property(size, fc.nat(), (n, a) => {
      const index = a % n;
      const { asked, node } = watched(n);
      const inclusion = inclusionProof(index, n, node);
      expect(inclusion).toEqual(inclusionProof(index, n, plain));
      expect(verifyInclusion({ index, hash: leaves[index]! }, n, inclusion, rootOf(leaves.slice(0, n)))).toBe(true);
      const ends = [index, n].map((place) => Math.floor(place / TILE_ENTRIES));
      expect([...asked].filter((tile) => !ends.includes(tile))).toEqual([]);
    }),
    { numRuns: 60 },
  );
  fc.assert(
    fc.property(size, size, (a, b) => {
      const [older, newer] = [Math.min(a, b), Math.max(a, b)];
      const { asked, node } = watched(newer);
      const proof = consistencyProof(older, newer, node);
      expect(proof).toEqual(consistencyProof(older, newer, plain));
      const [from, to] = [older, newer].map((n) => ({ size: n, root: rootOf(leaves.slice(0, n)) }));
      expect(verifyConsistency(from!, to!, proof)).toBe(true);
      const ends = [older, newer].map((place) => Math.floor(place / TILE_ENTRIES));
      expect([...asked].filter((tile) => !ends.includes(tile))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

test('one that has served before gives the same, and asks for few tile roots again', () => {
  let asked = 0;
  const node = tileNodes({
    leaves: leavesOf,
    root: (tile) => {
      asked++;
      return roots[tile]!;
    },
  });
  inclusionProof(SIZE - 1, SIZE, node);
  expect(asked).toBe(35);
  expect(inclusionProof(SIZE - 1, SIZE, node)).toEqual(inclusionProof(SIZE - 1, SIZE, plain));
  expect(asked).toBe(35 + 3);
});

test('a tile that has fewer leaves than the tree needs is noticed', () => {
  const node = tileNodes({ leaves: (tile) => leavesOf(tile).slice(0, 5), root: (tile) => roots[tile]! });
  expect(() => inclusionProof(3, SIZE, node)).toThrow(RangeError);
});
