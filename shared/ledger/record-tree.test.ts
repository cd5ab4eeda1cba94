import { expect, test } from 'vitest';
import { CompactRange, hashLeaf } from './merkle.ts';
import { RecordTree } from './record-tree.ts';

const record = (i: number, version = 0) => new TextEncoder().encode(`record ${i} version ${version}`);

function plainRoot(records: readonly Uint8Array[]): Uint8Array {
  const range = new CompactRange();
  for (const one of records) range.append(hashLeaf(one));
  return range.root();
}

test('thousands of records, loaded at once and changed here and there, have the plain root', () => {
  const tree = new RecordTree();
  const records = Array.from({ length: 3001 }, (_, i) => record(i));
  for (const [i, one] of records.entries()) tree.set(i, one);
  expect(tree.size).toBe(3001);
  expect(tree.root()).toEqual(plainRoot(records));
  for (let version = 1; version <= 5; version++) {
    // Downwards, some twice, and one new at the end.
    for (const i of [records.length, 3000, 2999, 1024, 1023, version * 97, version * 97, 0]) {
      records[i] = record(i, version);
      tree.set(i, record(i, version - 1));
      tree.set(i, records[i]!);
    }
    expect(tree.root()).toEqual(plainRoot(records));
  }
});

test('a root that was given out stays what it was', () => {
  const tree = new RecordTree();
  const seen: [Uint8Array, Uint8Array][] = [];
  for (let i = 0; i < 40; i++) {
    tree.set(i, record(i));
    seen.push([tree.root(), tree.root().slice()]);
    tree.set(0, record(0, i));
  }
  for (const [given, kept] of seen) expect(given).toEqual(kept);
});
