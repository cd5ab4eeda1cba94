import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CompactRange, EMPTY_ROOT, hashLeaf, hashNode, hashPair, splitPoint } from './merkle.ts';
import { consistencyProof, inclusionProof, type NodeHash, verifyConsistency, verifyInclusion } from './merkle-proof.ts';
import { RecordTree } from './record-tree.ts';

const data = (i: number) => new TextEncoder().encode(`entry ${i}`);
const leaf = (i: number) => hashLeaf(data(i));

/** RFC 6962 §2.1, word for word. */
function treeHash(start: number, end: number): Uint8Array {
  if (start === end) return EMPTY_ROOT;
  if (end - start === 1) return leaf(start);
  const middle = start + splitPoint(end - start);
  return hashNode(treeHash(start, middle), treeHash(middle, end));
}
const node: NodeHash = (level, index) => treeHash(index * 2 ** level, (index + 1) * 2 ** level);

test('leaves and nodes are hashed as RFC 6962 says, and nothing is a node but two hashes', () => {
  const [one, two] = [leaf(1), leaf(2)];
  for (const length of [0, 1, 4095, 4096, 20_000, 3]) {
    const bytes = new Uint8Array(length).fill(length);
    expect(hashLeaf(bytes)).toEqual(sha256(concatBytes(Uint8Array.of(0), bytes)));
  }
  for (const [left, right] of [
    [one, two],
    [two, one],
    [one, one],
  ] as const) {
    const hash = sha256(concatBytes(Uint8Array.of(1), left, right));
    expect(hashNode(left, right)).toEqual(hash);
    expect(hashPair(concatBytes(left, right))).toEqual(hash);
  }
  for (const odd of [one.slice(1), concatBytes(one, two)]) {
    expect(() => hashNode(odd, two)).toThrow(RangeError);
    expect(() => hashNode(one, odd)).toThrow(RangeError);
  }
  expect(() => hashPair(one)).toThrow(RangeError);
});

test('a tree that grows leaf by leaf has the roots of the definition, also after it was put away', () => {
  let range = new CompactRange();
  for (let size = 0; size <= 70; size++) {
    expect(range.root()).toEqual(treeHash(0, size));
    range = new CompactRange(range.size, range.hashes);
    range.append(leaf(size));
  }
  expect(() => new CompactRange(5, [leaf(0)])).toThrow(RangeError);
  expect(() => new CompactRange(-1, [])).toThrow(RangeError);
  expect(() => new CompactRange(1, [leaf(0).slice(1)])).toThrow(RangeError);
});

test('a record tree has the same roots, whatever changed in whatever order', () => {
  const changes = fc.array(fc.tuple(fc.nat(40), fc.boolean()), { maxLength: 80 });
  fc.assert(
    fc.property(changes, (all) => {
      const tree = new RecordTree();
      const records: Uint8Array[] = [];
      all.forEach(([place, look], i) => {
        const position = Math.min(place, records.length);
        records[position] = data(1000 + i);
        tree.set(position, records[position]!);
        if (look) tree.root();
      });
      const range = new CompactRange();
      for (const record of records) range.append(hashLeaf(record));
      expect(tree.root()).toEqual(range.root());
    }),
  );
  expect(() => new RecordTree().set(1, data(0))).toThrow(RangeError);
});

const size = fc.integer({ min: 1, max: 90 });

describe('proofs', () => {
  test('of inclusion hold for their leaf, place, size and root, and for nothing else', () => {
    fc.assert(
      fc.property(size, fc.nat(), fc.nat(), (n, a, b) => {
        const index = a % n;
        const proof = inclusionProof(index, n, node);
        const root = treeHash(0, n);
        expect(verifyInclusion({ index, hash: leaf(index) }, n, proof, root)).toBe(true);
        expect(verifyInclusion({ index, hash: leaf(n) }, n, proof, root)).toBe(false);
        expect(verifyInclusion({ index: n, hash: leaf(index) }, n, proof, root)).toBe(false);
        expect(verifyInclusion({ index, hash: leaf(index) }, n, [...proof, root], root)).toBe(false);
        expect(verifyInclusion({ index, hash: leaf(index) }, n, proof, treeHash(0, n + 1))).toBe(false);
        const other = b % n;
        if (other !== index) expect(verifyInclusion({ index: other, hash: leaf(index) }, n, proof, root)).toBe(false);
        if (proof.length > 0) {
          expect(verifyInclusion({ index, hash: leaf(index) }, n, proof.slice(1), root)).toBe(false);
          expect(verifyInclusion({ index, hash: leaf(index) }, n, [leaf(n), ...proof.slice(1)], root)).toBe(false);
        }
      }),
    );
  });

  test('of consistency hold between a tree and its beginning only', () => {
    fc.assert(
      fc.property(size, fc.nat(), (n, a) => {
        const m = 1 + (a % n);
        const proof = consistencyProof(m, n, node);
        const [older, newer] = [
          { size: m, root: treeHash(0, m) },
          { size: n, root: treeHash(0, n) },
        ];
        expect(verifyConsistency(older, newer, proof)).toBe(true);
        expect(verifyConsistency({ ...older, root: leaf(n) }, newer, proof)).toBe(false);
        expect(verifyConsistency(older, { ...newer, root: leaf(n) }, proof)).toBe(false);
        expect(verifyConsistency(older, newer, [...proof, leaf(0)])).toBe(false);
        if (proof.length > 0) expect(verifyConsistency(older, newer, proof.slice(1))).toBe(false);
        if (m < n) expect(verifyConsistency({ ...older, size: m + 1 }, newer, proof)).toBe(false);
      }),
    );
  });

  test('of what cannot be are not made', () => {
    expect(() => inclusionProof(3, 3, node)).toThrow(RangeError);
    expect(() => inclusionProof(0, 0, node)).toThrow(RangeError);
    expect(() => consistencyProof(0, 3, node)).toThrow(RangeError);
    expect(() => consistencyProof(4, 3, node)).toThrow(RangeError);
  });
});
