/** The outside vectors of Ed25519 through WebCrypto: on keys that we take, it must never change noble's verdict. */
import { existsSync, readFileSync } from 'node:fs';
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { checkPublicKey, verify } from '../../shared/wallet/public-key.ts';
import { createVerifier, type SignedMessage } from '../../shared/wallet/verifier.ts';

const folder = new URL('../../../shared/vectors/ed25519/', import.meta.url);
const missing = !existsSync(folder);
if (missing) console.warn(`Skipping the outside vectors: there is no folder ${folder.pathname}`);

const load = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const item = (signature: string, message: Uint8Array, publicKey: string): SignedMessage => ({
  signature: hexToBytes(signature),
  message,
  publicKey: hexToBytes(publicKey),
});

function vectors(): SignedMessage[] {
  const wycheproof: { testGroups: { publicKey: { pk: string }; tests: { msg: string; sig: string }[] }[] } =
    load('wycheproof.json');
  const speccheck: { message: string; pub_key: string; signature: string }[] = load('speccheck.json');
  const zip215: { vk_bytes: string; sig_bytes: string }[] = load('zip215.json');
  return [
    ...wycheproof.testGroups.flatMap(({ publicKey: { pk }, tests }) =>
      tests.map(({ msg, sig }) => item(sig, hexToBytes(msg), pk)),
    ),
    ...speccheck.map(({ message, pub_key, signature }) => item(signature, hexToBytes(message), pub_key)),
    ...zip215.map(({ vk_bytes, sig_bytes }) => item(sig_bytes, utf8ToBytes('Zcash'), vk_bytes)),
  ];
}

function isPublicKey(key: Uint8Array): boolean {
  try {
    checkPublicKey(key);
    return true;
  } catch {
    return false;
  }
}

test.skipIf(missing)('every verdict on a key that we take is noble’s', async () => {
  const all = vectors().filter(({ publicKey }) => isPublicKey(publicKey));
  const strict = all.map(({ signature, message, publicKey }) => verify(signature, message, publicKey));
  expect(await createVerifier().verifyAll(all)).toEqual(strict);
  // A file that was cut short must not pass: all of Wycheproof's and two of speccheck's have such keys, none of ZIP-215's.
  expect([all.length, strict.filter(Boolean).length]).toEqual([151 + 2, 88]);
});
