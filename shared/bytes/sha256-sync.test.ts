import { sha256 as noble } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sha256 } from './sha256-sync.ts';

/** FIPS 180-4's examples, from NIST's page of them. */
test.each([
  ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
  ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
  [
    'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
    '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
  ],
  ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
])('SHA-256 of “%.60s”', (text, hash) => {
  expect(bytesToHex(sha256(utf8ToBytes(text)))).toBe(hash);
});

test('is noble’s for every length up to several blocks', () => {
  const bytes = Uint8Array.from({ length: 400 }, (_, i) => (i * i * 7 + 255 - i) & 0xff);
  for (let length = 0; length <= bytes.length; length++) {
    expect(sha256(bytes.subarray(0, length))).toEqual(noble(bytes.subarray(0, length)));
  }
});

test('is noble’s for any bytes, from the middle of a buffer, and stays what it was', () => {
  let before = sha256(new Uint8Array(0));
  let expected = before.slice();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 700 }), fc.nat(9), (bytes, start) => {
      const view = bytes.subarray(start);
      const hash = sha256(view);
      expect(hash).toEqual(noble(view));
      expect(before).toEqual(expected);
      [before, expected] = [hash, hash.slice()];
    }),
    { numRuns: 1000 },
  );
});
