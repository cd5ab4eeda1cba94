import { inspect } from 'node:util';
import { bytesToHex } from '@noble/hashes/utils.js';
import { describe, expect, test } from 'vitest';
import { verify } from './public-key.ts';
import { createWallet, DERIVATION_PATH, SigningKey } from './wallet.ts';

const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';

describe('createWallet', () => {
  test('makes the same wallet from the same words, however they were typed', () => {
    const wallet = createWallet(WORDS);
    expect(wallet.address).toMatch(/^alc1[02-9ac-hj-np-z]{58}$/);
    expect(createWallet(`  ${WORDS.toUpperCase().replaceAll(' ', '\n ')} `).address).toBe(wallet.address);
  });

  test('signs what its public key verifies', () => {
    const wallet = createWallet(WORDS);
    const message = new TextEncoder().encode('ailo/test/v1\0hello');
    const signature = wallet.sign(message);
    expect(verify(signature, message, wallet.publicKey)).toBe(true);
    expect(verify(signature, message.slice(1), wallet.publicKey)).toBe(false);
    expect(verify(signature.slice(1), message, wallet.publicKey)).toBe(false);
  });

  test('hardens every component of the path', () => {
    expect(DERIVATION_PATH.split('/').slice(1)).toSatisfy((parts: string[]) =>
      parts.every((part) => part.endsWith("'")),
    );
  });
});

test('the secret key does not leave through JSON, enumeration, cloning or inspection', () => {
  const secret = new Uint8Array(32).fill(0xa7);
  const key = new SigningKey(secret);
  const seen = [
    JSON.stringify(key),
    inspect(key, { depth: 9, showHidden: true }),
    ...Object.keys(structuredClone({ ...key })),
    String(key),
  ].join();
  expect(seen).not.toMatch(/a7a7|167, ?167|\u00a7\u00a7/);
  expect(seen).not.toContain(bytesToHex(secret));
  secret.fill(0);
  expect(verify(key.sign(secret), secret, key.publicKey)).toBe(true);
});
