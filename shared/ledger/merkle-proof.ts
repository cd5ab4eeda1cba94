/**
 * Proofs over RFC 6962 trees. Making them follows RFC 6962 §2.1.1–2.1.2; checking follows RFC 9162 §2.1.3.2 and
 * §2.1.4.2, generalised to subtrees as in draft-ietf-plants-merkle-tree-certs §4 (a whole tree is the subtree [0, n)).
 *
 * Checks return whether the proof holds; they never throw, whatever they are given.
 */
import { equalBytes, HASH_BYTES } from './binary.ts';
import { EMPTY_ROOT, hashNode, splitPoint } from './merkle.ts';

/** The hash over the complete subtree of leaves [index · 2^level, (index + 1) · 2^level). */
export type NodeHash = (level: number, index: number) => Uint8Array;

/** Shows that leaf `index` is in the tree of `size` leaves. RangeError where it cannot be. */
export function inclusionProof(index: number, size: number, node: NodeHash): Uint8Array[] {
  checkRange(index, size);
  const path = (start: number, end: number): Uint8Array[] => {
    if (end - start === 1) return [];
    const middle = start + splitPoint(end - start);
    return index < middle
      ? [...path(start, middle), rangeHash(middle, end, node)]
      : [...path(middle, end), rangeHash(start, middle, node)];
  };
  return path(0, size);
}

/** Shows that the tree of `size1` leaves begins that of `size2`. RangeError unless 0 < size1 ≤ size2. */
export function consistencyProof(size1: number, size2: number, node: NodeHash): Uint8Array[] {
  checkRange(size1 - 1, size2);
  const subproof = (start: number, end: number, whole: boolean): Uint8Array[] => {
    if (end === size1) return whole ? [] : [rangeHash(start, end, node)];
    const middle = start + splitPoint(end - start);
    return size1 <= middle
      ? [...subproof(start, middle, whole), rangeHash(middle, end, node)]
      : [...subproof(middle, end, false), rangeHash(start, middle, node)];
  };
  return subproof(0, size2, true);
}

export function verifyInclusion(
  leaf: { index: number; hash: Uint8Array },
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  return verifySubtreeInclusion(leaf, { start: 0, end: size }, proof, root);
}

/** Of an empty tree nothing can be shown: false. */
export function verifyConsistency(
  older: { size: number; root: Uint8Array },
  newer: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (older.size === 0) return false;
  return verifySubtreeConsistency({ start: 0, end: older.size, hash: older.root }, newer, proof);
}

export function verifySubtreeInclusion(
  leaf: { index: number; hash: Uint8Array },
  subtree: { start: number; end: number },
  proof: readonly Uint8Array[],
  subtreeHash: Uint8Array,
): boolean {
  const { start, end } = subtree;
  if (!isSubtree(start, end) || !Number.isSafeInteger(leaf.index) || leaf.index < start || leaf.index >= end) {
    return false;
  }
  if (!areHashes([leaf.hash, subtreeHash, ...proof])) return false;
  let at = leaf.index - start;
  let last = end - start - 1;
  let hash = leaf.hash;
  for (const sibling of proof) {
    if (last === 0) return false;
    if (isOdd(at) || at === last) {
      hash = hashNode(sibling, hash);
      for (; !isOdd(at) && at !== 0; last = half(last)) at = half(at);
    } else {
      hash = hashNode(hash, sibling);
    }
    at = half(at);
    last = half(last);
  }
  return last === 0 && equalBytes(hash, subtreeHash);
}

/** Whether the subtree's leaves are those of the tree. An empty subtree is part of every tree. */
export function verifySubtreeConsistency(
  subtree: { start: number; end: number; hash: Uint8Array },
  tree: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { start, end } = subtree;
  if (!Number.isSafeInteger(tree.size) || !Number.isSafeInteger(start) || start < 0 || !(end <= tree.size))
    return false;
  if (start === end) return proof.length === 0 && equalBytes(subtree.hash, EMPTY_ROOT);
  // Without a proof nothing is hashed: the roots are the same or not.
  if (!isSubtree(start, end) || (proof.length > 0 && !areHashes([subtree.hash, ...proof]))) return false;
  let [first, last, end1] = [start, end - 1, tree.size - 1];
  const shift = () => {
    [first, last, end1] = [half(first), half(last), half(end1)];
  };
  const subtreeEndsTree = last === end1;
  while (first !== last && (subtreeEndsTree || isOdd(last))) shift();
  const [seed, ...rest] = first === last ? [subtree.hash, ...proof] : proof;
  if (seed === undefined) return false;
  let subtreeHash = seed;
  let treeHash = seed;
  for (const sibling of rest) {
    if (end1 === 0) return false;
    if (isOdd(last) || last === end1) {
      if (first < last) subtreeHash = hashNode(sibling, subtreeHash);
      treeHash = hashNode(sibling, treeHash);
      while (!isOdd(last)) shift();
    } else {
      treeHash = hashNode(treeHash, sibling);
    }
    shift();
  }
  return end1 === 0 && equalBytes(subtreeHash, subtree.hash) && equalBytes(treeHash, tree.root);
}

/** A subtree is [start, end) where the smallest power of two that spans it divides start. */
function isSubtree(start: number, end: number): boolean {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || start >= end) return false;
  const size = end - start;
  return start % (size === 1 ? 1 : 2 * splitPoint(size)) === 0;
}

function rangeHash(start: number, end: number, node: NodeHash): Uint8Array {
  const size = end - start;
  const level = Math.log2(size);
  if (Number.isInteger(level)) return node(level, start / size);
  const middle = start + splitPoint(size);
  return hashNode(rangeHash(start, middle, node), rangeHash(middle, end, node));
}

function checkRange(index: number, size: number): void {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index) || index < 0 || index >= size) {
    throw new RangeError(`there is no leaf ${index} in a tree of ${size}`);
  }
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES);
}

// Sizes go to 2^53, where the bit operators of JavaScript end at 2^32.
const isOdd = (n: number) => n % 2 === 1;
const half = (n: number) => Math.floor(n / 2);
