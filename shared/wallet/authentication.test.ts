import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { authenticationBytes, signAuthentication, verifyAuthentication } from './authentication.ts';
import { Wallet } from './wallet.ts';

const wallet = new Wallet(new Uint8Array(32).fill(1));
const challenge = { networkId: 'aa'.repeat(32), nonce: 'bb'.repeat(32) };
const refused = expect.objectContaining({ code: 'AUTHENTICATION_FAILED' });

test('the bytes are the domain, the network, the nonce and the key', () => {
  const bytes = authenticationBytes(hexToBytes(challenge.networkId), hexToBytes(challenge.nonce), wallet.publicKey);
  expect(bytesToHex(bytes)).toBe(
    `${bytesToHex(new TextEncoder().encode('ailo/auth/v1\0'))}${challenge.networkId}${challenge.nonce}${bytesToHex(wallet.publicKey)}`,
  );
});

test('the answer names the wallet that gave it', () => {
  expect(verifyAuthentication(challenge, signAuthentication(wallet, challenge))).toBe(wallet.address);
});

test('an answer is good for its own challenge, network and key only', () => {
  const answer = signAuthentication(wallet, challenge);
  const other = new Wallet(new Uint8Array(32).fill(2));
  expect(() => verifyAuthentication({ ...challenge, nonce: 'cc'.repeat(32) }, answer)).toThrow(refused);
  expect(() => verifyAuthentication({ ...challenge, networkId: 'cc'.repeat(32) }, answer)).toThrow(refused);
  expect(() => verifyAuthentication(challenge, { ...answer, publicKey: bytesToHex(other.publicKey) })).toThrow(refused);
  expect(() => verifyAuthentication(challenge, { ...answer, signature: '00'.repeat(64) })).toThrow(refused);
});

test('the neutral key, whose signatures anybody can make, is refused', () => {
  const neutral = `01${'00'.repeat(31)}`;
  expect(() => verifyAuthentication(challenge, { publicKey: neutral, signature: neutral + '00'.repeat(32) })).toThrow(
    refused,
  );
});
