/** Which public keys exist for Ailo, and which signatures are theirs. Both are consensus. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { AiloError } from '../errors/index.ts';

export const PUBLIC_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;

/**
 * Throws PUBLIC_KEY_INVALID unless `key` is the canonical encoding of a torsion-free point other than the neutral one.
 *
 * Costs a scalar multiplication, so a key is checked once, when it first appears. On keys that passed, the known
 * implementations of Ed25519 disagree only in what they refuse, never in what they accept beyond `verify`.
 */
export function checkPublicKey(key: Uint8Array): void {
  if (key.length !== PUBLIC_KEY_BYTES) {
    throw AiloError.of('PUBLIC_KEY_INVALID', { reason: `it has ${key.length} bytes, not ${PUBLIC_KEY_BYTES}` });
  }
  let point: ReturnType<typeof ed25519.Point.fromBytes>;
  try {
    point = ed25519.Point.fromBytes(key, false);
  } catch {
    throw AiloError.of('PUBLIC_KEY_INVALID', { reason: 'it is not a point of the curve in its canonical form' });
  }
  // isTorsionFree() holds for the neutral point, whose signatures anybody can make.
  if (point.isSmallOrder() || !point.isTorsionFree()) {
    throw AiloError.of('PUBLIC_KEY_INVALID', { reason: 'its point has a component of small order' });
  }
}

/** Whether `signature` is `publicKey`'s over `message`: RFC 8032 with strict encodings (noble's `zip215: false`). */
export function verify(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || publicKey.length !== PUBLIC_KEY_BYTES) return false;
  return ed25519.verify(signature, message, publicKey, { zip215: false });
}
