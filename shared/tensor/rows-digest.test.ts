import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, it } from 'vitest';
import { RowsDigest } from './rows-digest.ts';

const rows = Uint8Array.from({ length: 12 }, (_, i) => i);
const hex = (digest: RowsDigest, from: number, to: number) => bytesToHex(digest.digest(from, to));

describe('the digest of rows', () => {
  it('is the same however they came in', () => {
    const [whole, pieces] = [new RowsDigest(3), new RowsDigest(3)];
    whole.put(0, rows);
    pieces.put(0, rows.subarray(0, 3));
    pieces.put(1, rows.subarray(3));
    for (const from of [0, 1, 3]) expect(hex(pieces, from, 4)).toBe(hex(whole, from, 4));
    expect(hex(whole, 0, 4)).not.toBe(hex(whole, 1, 4));
    expect(hex(whole, 0, 3)).not.toBe(hex(whole, 0, 4));
  });

  it('of some rows is that of who has only these', () => {
    const [whole, tail] = [new RowsDigest(3), new RowsDigest(3, 2)];
    whole.put(0, rows);
    tail.put(2, rows.subarray(6));
    expect(hex(tail, 2, 4)).toBe(hex(whole, 2, 4));
  });

  it('forgets rows that others take the place of', () => {
    const [once, twice] = [new RowsDigest(3), new RowsDigest(3)];
    once.put(0, rows);
    twice.put(
      0,
      rows.map((byte) => byte + 1),
    );
    twice.put(1, rows.subarray(3));
    twice.put(0, rows);
    expect(hex(twice, 0, 4)).toBe(hex(once, 0, 4));
  });
});
