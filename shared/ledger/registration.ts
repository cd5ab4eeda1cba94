/**
 * Registrations: a wallet claims a username, which is free, unique, and gives its earlier one back.
 *
 *     "ailo/registration/v1\0"  network id (32)  wallet (32)  number (8)  name length (1)  name   signature (64)
 *
 * Little-endian. The number counts the wallet's registrations from 1, so that none can be replayed.
 */
import { utf8ToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../wallet/public-key.ts';
import type { SigningKey } from '../wallet/wallet.ts';
import { domain, HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';
import { USERNAME } from './limits.ts';

export interface Registration {
  networkId: Uint8Array;
  publicKey: Uint8Array;
  number: number;
  username: string;
}

export interface SignedRegistration {
  registration: Registration;
  /** What was signed. */
  bytes: Uint8Array;
  signature: Uint8Array;
}

const DOMAIN = domain('registration');

/** Throws USERNAME_INVALID. */
export function checkUsername(username: string): void {
  if (!USERNAME.test(username)) throw AiloError.of('USERNAME_INVALID', {});
}

/** Throws USERNAME_INVALID. */
export function encodeRegistration({ networkId, publicKey, number, username }: Registration): Uint8Array {
  checkUsername(username);
  return new RecordWriter()
    .bytes(DOMAIN)
    .fixed(networkId, HASH_BYTES)
    .fixed(publicKey, PUBLIC_KEY_BYTES)
    .safe(number)
    .u8(username.length)
    .bytes(utf8ToBytes(username))
    .finish();
}

export function signRegistration(key: SigningKey, registration: Registration): SignedRegistration {
  const bytes = encodeRegistration(registration);
  return { registration, bytes, signature: key.sign(bytes) };
}

/** Reads `bytes ‖ signature`. Throws REGISTRATION_INVALID, USERNAME_INVALID; checks no signature. */
export function decodeRegistration(signed: Uint8Array): SignedRegistration {
  const reader = new RecordReader(signed, (reason) => AiloError.of('REGISTRATION_INVALID', { reason }));
  reader.domain(DOMAIN);
  const head = {
    networkId: reader.fixed(HASH_BYTES),
    publicKey: reader.fixed(PUBLIC_KEY_BYTES),
    number: reader.safe(),
  };
  const username = String.fromCharCode(...reader.bytes(reader.u8()));
  checkUsername(username);
  const signature = reader.fixed(SIGNATURE_BYTES);
  reader.end();
  return { registration: { ...head, username }, bytes: signed.slice(0, -SIGNATURE_BYTES), signature };
}
