import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { bech32, bech32m } from '@scure/base';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { NodeId } from '../protocol/messages.ts';
import { decodeAddress, encodeAddress } from './address.ts';
import { checkPublicKey } from './public-key.ts';

const key = (seed: number) => ed25519.getPublicKey(new Uint8Array(32).fill(seed));
const coded = (code: string) => expect.objectContaining({ code });

test('decodes what it encodes, and the protocol accepts it as a name', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
      const publicKey = ed25519.getPublicKey(secret);
      const address = encodeAddress(publicKey);
      expect(decodeAddress(address)).toEqual(publicKey);
      expect(v.is(NodeId, address)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test('any one changed character is noticed', () => {
  const address = encodeAddress(key(1));
  for (let place = 4; place < address.length; place++) {
    const other = address[place] === 'q' ? 'p' : 'q';
    expect(() => decodeAddress(address.slice(0, place) + other + address.slice(place + 1))).toThrow(
      coded('ADDRESS_INVALID'),
    );
  }
});

test.each([
  ['', 'characters'],
  [encodeAddress(key(1)).toUpperCase(), 'small letters'],
  [encodeAddress(key(1)).slice(0, -1), 'characters'],
  [bech32.encode('alc', bech32.toWords(key(1))), 'checksum'],
  [bech32m.encode('abc', bech32m.toWords(key(1))), 'begin'],
])('refuses %j', (address, reason) => {
  expect(() => decodeAddress(address)).toThrow(reason);
  expect(() => decodeAddress(address)).toThrow(coded('ADDRESS_INVALID'));
});

describe('checkPublicKey', () => {
  const torsion = ED25519_TORSION_SUBGROUP.map((hex) => hexToBytes(hex));

  test('accepts the keys of wallets', () => {
    for (let seed = 0; seed < 20; seed++) expect(() => checkPublicKey(key(seed))).not.toThrow();
  });

  test('refuses points of small order and points with such a component', () => {
    for (const small of torsion) {
      expect(() => checkPublicKey(small)).toThrow(coded('PUBLIC_KEY_INVALID'));
      const mixed = ed25519.Point.fromBytes(key(1)).add(ed25519.Point.fromBytes(small));
      if (mixed.equals(ed25519.Point.fromBytes(key(1)))) continue;
      expect(() => checkPublicKey(mixed.toBytes())).toThrow(coded('PUBLIC_KEY_INVALID'));
    }
  });

  test('refuses what is not canonical, not on the curve, not 32 bytes', () => {
    const unreduced = new Uint8Array(32).fill(0xff);
    unreduced[31] = 0x7f;
    for (const bad of [unreduced, new Uint8Array(32).fill(2), new Uint8Array(31), new Uint8Array(33)]) {
      expect(() => checkPublicKey(bad)).toThrow(coded('PUBLIC_KEY_INVALID'));
    }
  });
});
