/** How a wallet shows a coordinator that it is there: it signs the coordinator's challenge. */
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { encodeAddress } from './address.ts';
import { checkPublicKey, verify } from './public-key.ts';
import type { SigningKey } from './wallet.ts';

const DOMAIN = utf8ToBytes('ailo/auth/v1\0');

/** Lowercase hex of 32 bytes each, as in the protocol's `challenge`. */
export interface AuthenticationChallenge {
  networkId: string;
  nonce: string;
}

/** Lowercase hex of 32 and 64 bytes, as in the protocol's `authenticate`. */
export interface AuthenticationAnswer {
  publicKey: string;
  signature: string;
}

/**
 * What is signed: `"ailo/auth/v1\0" ‖ network id ‖ nonce ‖ public key`. The network id keeps one network's coordinator
 * from passing our answer on to another's; the domain keeps the signature from ever being a transaction's.
 */
export function authenticationBytes(networkId: Uint8Array, nonce: Uint8Array, publicKey: Uint8Array): Uint8Array {
  if (networkId.length !== 32 || nonce.length !== 32 || publicKey.length !== 32) {
    throw new RangeError('network id, nonce and public key have 32 bytes each');
  }
  return concatBytes(DOMAIN, networkId, nonce, publicKey);
}

export function signAuthentication(key: SigningKey, challenge: AuthenticationChallenge): AuthenticationAnswer {
  const bytes = authenticationBytes(hexToBytes(challenge.networkId), hexToBytes(challenge.nonce), key.publicKey);
  return { publicKey: bytesToHex(key.publicKey), signature: bytesToHex(key.sign(bytes)) };
}

/** The address that answered the challenge. Throws AUTHENTICATION_FAILED. */
export function verifyAuthentication(challenge: AuthenticationChallenge, answer: AuthenticationAnswer): string {
  const publicKey = hexToBytes(answer.publicKey);
  try {
    checkPublicKey(publicKey);
  } catch (error) {
    throw AiloError.of('AUTHENTICATION_FAILED', { reason: 'its public key cannot be used' }, error);
  }
  const bytes = authenticationBytes(hexToBytes(challenge.networkId), hexToBytes(challenge.nonce), publicKey);
  if (!verify(hexToBytes(answer.signature), bytes, publicKey)) {
    throw AiloError.of('AUTHENTICATION_FAILED', { reason: 'the signature is not this wallet’s answer' });
  }
  return encodeAddress(publicKey);
}
