import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ENTRY_BYTES, TILE_ENTRIES } from './limits.ts';
import { decodeTile, encodeTile, tileSpans } from './tile.ts';

const invalid = expect.objectContaining({ code: 'TILE_INVALID' });
const entry = fc.uint8Array({ minLength: 1, maxLength: 300 });
const entries = fc.array(entry, { minLength: 1, maxLength: TILE_ENTRIES, size: 'max' });

describe('a tile', () => {
  test('is read as it was written, from the middle of a buffer too, and without copying', () => {
    fc.assert(
      fc.property(entries, fc.nat(9), (all, before) => {
        const bytes = encodeTile(all);
        const buffer = new Uint8Array(before + bytes.length + 5);
        buffer.set(bytes, before);
        const decoded = decodeTile(buffer.subarray(before, before + bytes.length), all.length);
        expect(decoded).toEqual(all);
        for (const one of decoded) expect(one.buffer).toBe(buffer.buffer);
      }),
      { numRuns: 30 },
    );
  });

  test('is refused when bytes are missing or left over, or with another number of entries', () => {
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 6 }), entry, (all, rest) => {
        const bytes = encodeTile(all);
        for (let length = 0; length < bytes.length; length++) {
          expect(() => decodeTile(bytes.subarray(0, length), all.length)).toThrow(invalid);
        }
        expect(() => decodeTile(Uint8Array.of(...bytes, ...rest), all.length)).toThrow(invalid);
        expect(() => decodeTile(bytes, all.length - 1)).toThrow(invalid);
        expect(() => decodeTile(bytes, all.length + 1)).toThrow(invalid);
      }),
      { numRuns: 50 },
    );
  });

  test('has one spelling: changed bytes are refused or mean something else', () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (all, at, flip) => {
          const changed = encodeTile(all);
          changed[at % changed.length]! ^= flip;
          let decoded: Uint8Array[];
          try {
            decoded = decodeTile(changed, all.length);
          } catch (error) {
            expect(error).toEqual(invalid);
            return;
          }
          expect(encodeTile(decoded)).toEqual(changed);
          expect(decoded).not.toEqual(all);
        },
      ),
    );
  });

  test('holds 1 to 256 entries of 1 to 131,072 bytes', () => {
    const [one, longest] = [Uint8Array.of(1), new Uint8Array(MAX_ENTRY_BYTES)];
    const full = Array.from({ length: TILE_ENTRIES }, () => longest);
    expect(decodeTile(encodeTile(full), TILE_ENTRIES)).toHaveLength(TILE_ENTRIES);
    const wrong = [[], [...full, one], [new Uint8Array(0)], [one, new Uint8Array(MAX_ENTRY_BYTES + 1)]];
    for (const some of wrong) expect(() => encodeTile(some)).toThrow(invalid);
    expect(() => decodeTile(new Uint8Array(4), 1)).toThrow(invalid);
    const tooLong = new Uint8Array(4 + MAX_ENTRY_BYTES + 1);
    new DataView(tooLong.buffer).setUint32(0, MAX_ENTRY_BYTES + 1, true);
    expect(() => decodeTile(tooLong, 1)).toThrow(invalid);
    for (const width of [0, -1, 0.5, Number.NaN, TILE_ENTRIES + 1]) {
      expect(() => decodeTile(encodeTile([one]), width)).toThrow(invalid);
    }
  });
});

describe('the tiles of a part of the log', () => {
  test.each([
    [0, 0, 0, []],
    [5, 5, 9, []],
    [0, 1, 1, [[0, 1]]],
    [3, 4, 300, [[0, 256]]],
    [
      255,
      257,
      300,
      [
        [0, 256],
        [1, 44],
      ],
    ],
    [256, 512, 512, [[1, 256]]],
    [300, 301, 10_000_000_001, [[1, 256]]],
    [10_000_000_000, 10_000_000_001, 10_000_000_001, [[39_062_500, 1]]],
  ])('from %d to %d of %d', (from, to, size, expected) => {
    expect(tileSpans(from, to, size).map(({ index, width }) => [index, width])).toEqual(expected);
  });

  test('hold just the entries that were asked for, in order', () => {
    fc.assert(
      fc.property(fc.nat(2000), fc.nat(2000), fc.nat(2000), (a, b, c) => {
        const [from, to, size] = [a, b, c].sort((x, y) => x - y) as [number, number, number];
        const held = tileSpans(from, to, size).flatMap(({ index, width }) =>
          Array.from({ length: width }, (_, i) => index * TILE_ENTRIES + i),
        );
        expect(held.filter((place) => place >= from && place < to)).toEqual(
          Array.from({ length: to - from }, (_, i) => from + i),
        );
        expect(held.every((place) => place < size)).toBe(true);
        if (held.length > 0)
          expect([from - held[0]! < TILE_ENTRIES, held.at(-1)! - to < TILE_ENTRIES]).toEqual([true, true]);
      }),
    );
  });

  test.each([
    [-1, 0, 5],
    [2, 1, 5],
    [0, 6, 5],
    [0, 0.5, 5],
    [0, 1, Number.POSITIVE_INFINITY],
  ])('do not exist from %d to %d of %d', (from, to, size) => {
    expect(() => tileSpans(from, to, size)).toThrow(RangeError);
  });
});
