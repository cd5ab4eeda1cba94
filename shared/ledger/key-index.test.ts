import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KeyIndex } from './key-index.ts';

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

test('finds each key at the place it got, and no other', () => {
  // Few bytes that differ: most keys share the four that they are hashed by.
  const similar = fc
    .tuple(fc.nat(3), fc.nat(50))
    .map(([first, last]) => new Uint8Array(32).fill(first, 0, 4).fill(last, 31));
  fc.assert(
    fc.property(fc.uniqueArray(fc.oneof(key, similar), { selector: String, maxLength: 300 }), key, (keys, other) => {
      const index = new KeyIndex();
      for (const [place, each] of keys.entries()) {
        expect(index.get(each)).toBeUndefined();
        index.add(each);
        expect(index.size).toBe(place + 1);
      }
      for (const [place, each] of keys.entries()) expect(index.get(each)).toBe(place);
      expect(index.get(other)).toBe(
        keys.map(String).includes(String(other)) ? keys.map(String).indexOf(String(other)) : undefined,
      );
    }),
  );
});

test('keys have 32 bytes', () => {
  const index = new KeyIndex();
  expect(() => index.add(new Uint8Array(31))).toThrow(RangeError);
  expect(index.get(new Uint8Array(33))).toBeUndefined();
});
