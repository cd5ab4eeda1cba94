import { randomBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { combine, split } from './shamir.ts';

const PLACES = [1, 2, 7, 31, 128, 255];

describe('Shamir’s secret sharing', () => {
  it('gives the secret back from any shares that are enough', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: PLACES.length }),
        fc.shuffledSubarray(PLACES, { minLength: PLACES.length }),
        (secret, threshold, order) => {
          const shares = split(secret, PLACES, threshold, randomBytes);
          const some = order.slice(0, threshold).map((x) => shares.find((share) => share.x === x)!);
          expect(combine(some)).toEqual(secret);
        },
      ),
    );
  });

  it('says nothing with one share less: every secret has polynomials that lead to it', () => {
    const seen = new Set<number>();
    const secret = Uint8Array.of(42);
    for (let i = 0; i < 5000; i++) seen.add(split(secret, [1, 2, 3], 3, randomBytes)[1]!.bytes[0]!);
    expect(seen.size).toBe(256);
  });

  it('knows GF(2^8): with p(x) = 0x57 + 0x83·x, p(0x13) is 0x57 + 0x83·0x13 (FIPS 197, §4.2)', () => {
    const [share] = split(Uint8Array.of(0), [0x13], 1, randomBytes);
    expect(share!.bytes[0]).toBe(0);
    // 0x57 · 0x13 = 0xfe stands in FIPS 197.
    const [line] = split(Uint8Array.of(0), [0x13, 1], 2, () => Uint8Array.of(0x57));
    expect(line!.bytes[0]).toBe(0xfe);
  });

  it('refuses what cannot be shares', () => {
    expect(() => split(new Uint8Array(2), [1, 1], 1, randomBytes)).toThrow(RangeError);
    expect(() => split(new Uint8Array(2), [0, 1], 1, randomBytes)).toThrow(RangeError);
    expect(() => split(new Uint8Array(2), [1, 2], 3, randomBytes)).toThrow(RangeError);
    const shares = split(new Uint8Array(2), [1, 2], 2, randomBytes);
    expect(() => combine([shares[0]!, shares[0]!])).toThrow(RangeError);
  });
});
