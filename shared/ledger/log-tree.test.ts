import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { COSIGNATURE_WINDOW, TILE_ENTRIES } from './limits.ts';
import { LogTree } from './log-tree.ts';
import { CompactRange, hashLeaf } from './merkle.ts';

const LAST = COSIGNATURE_WINDOW + 5 * TILE_ENTRIES + 77;
const leaves = Array.from({ length: LAST }, (_, i) => hashLeaf(new TextEncoder().encode(`entry ${i}`)));
/** roots[n]: over the first n entries, the plain way. */
const roots: Uint8Array[] = [];
beforeAll(() => {
  const range = new CompactRange();
  roots.push(range.root());
  for (const leaf of leaves) {
    range.append(leaf);
    roots.push(range.root());
  }
});

function frontierAt(size: number): readonly Uint8Array[] {
  const range = new CompactRange();
  for (const leaf of leaves.slice(0, size)) range.append(leaf);
  return range.hashes;
}

/** `rootAt` is right everywhere in the window that begins at `start` at the earliest, and silent outside of it. */
function expectWindow(tree: LogTree, start: number, sizes: Iterable<number>): void {
  const first = Math.max(start, tree.size - COSIGNATURE_WINDOW);
  for (const size of [...sizes, first - 1, first, first + 1, tree.size - 1, tree.size, tree.size + 1]) {
    const inside = size >= first && size <= tree.size;
    expect(tree.rootAt(size)).toEqual(inside ? roots[size] : undefined);
  }
}

test('has every root of its window, whatever it was begun from and however far it has grown', () => {
  const begin = fc.oneof(
    fc.nat(LAST),
    fc.nat(Math.floor(LAST / TILE_ENTRIES)).map((tile) => tile * TILE_ENTRIES),
  );
  const asked = fc.array(fc.nat(LAST + 10), { maxLength: 8 });
  fc.assert(
    fc.property(begin, fc.nat(), fc.nat(), asked, (start, tail, more, sizes) => {
      const middle = start + (tail % (LAST - start + 1));
      const end = middle + (more % (LAST - middle + 1));
      const tree = new LogTree(start, frontierAt(start), leaves.slice(start, middle));
      expectWindow(tree, start, sizes);
      for (const leaf of leaves.slice(middle, end)) tree.append(leaf);
      expectWindow(tree, start, sizes);
      expect(tree.root()).toEqual(roots[end]);
      expect(tree.hashes).toEqual(frontierAt(end));
    }),
    { numRuns: 25 },
  );
});

test('opens again with its whole window from what it says to put away', () => {
  const tree = new LogTree();
  for (const [i, leaf] of leaves.entries()) {
    tree.append(leaf);
    const size = i + 1;
    if (size % 4999 !== 0 && size !== LAST && size !== COSIGNATURE_WINDOW + TILE_ENTRIES) continue;
    const { size: start, hashes } = tree.windowFrontier;
    expect(start % TILE_ENTRIES).toBe(0);
    expect(size - start).toBeLessThan(COSIGNATURE_WINDOW + TILE_ENTRIES);
    const opened = new LogTree(start, hashes, leaves.slice(start, size));
    expect(opened.size).toBe(size);
    expect(opened.root()).toEqual(tree.root());
    expectWindow(opened, 0, [start, start + 1, size - TILE_ENTRIES]);
  }
});

test('keeps answers that stay what they were, also of a leaf hash that its owner writes over', () => {
  const tree = new LogTree();
  const mine = leaves[0]!.slice();
  tree.append(mine);
  const answer = tree.rootAt(1)!;
  mine.fill(0);
  for (const leaf of leaves.slice(1, COSIGNATURE_WINDOW + TILE_ENTRIES + 1)) tree.append(leaf);
  expect(answer).toEqual(roots[1]);
  expect(tree.root()).toEqual(roots[tree.size]);
  expect(tree.rootAt(1)).toBeUndefined();
});

test('knows the roots over the full tiles of its window', () => {
  const first = 2;
  const tree = new LogTree(first * TILE_ENTRIES, frontierAt(first * TILE_ENTRIES), leaves.slice(first * TILE_ENTRIES));
  const last = Math.floor(LAST / TILE_ENTRIES) - 1;
  const start = tree.windowFrontier.size / TILE_ENTRIES;
  for (const tile of [start, start + 1, last]) {
    const range = new CompactRange();
    for (const leaf of leaves.slice(tile * TILE_ENTRIES, (tile + 1) * TILE_ENTRIES)) range.append(leaf);
    expect(tree.tileRoot(tile)).toEqual(range.root());
  }
  for (const tile of [-1, start - 1, last + 1, 0.5]) expect(tree.tileRoot(tile)).toBeUndefined();
});

test('is not made from a frontier of another size, and has no root at what is no size', () => {
  expect(() => new LogTree(3, [leaves[0]!])).toThrow(RangeError);
  for (const size of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(new LogTree().rootAt(size)).toBeUndefined();
  }
});
