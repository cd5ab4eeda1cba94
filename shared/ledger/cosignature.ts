/**
 * Cosignatures: a wallet's word that it replayed the log's first `size` entries, that they have this root and break no
 * rule. Each is one verification of every transfer that the wallet had not cosigned before.
 *
 *     "ailo/cosignature/v1\0"  network id (32)  wallet (32)  size (8)  root (32)   signature (64)
 *
 * Little-endian. The state hash is not part of it: it follows from the entries.
 */
import { AiloError } from '../errors/index.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../wallet/public-key.ts';
import type { SigningKey } from '../wallet/wallet.ts';
import { domain, HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';

export interface Cosignature {
  networkId: Uint8Array;
  /** Public key of who verified. */
  publicKey: Uint8Array;
  /** Entries covered, from the log's beginning. */
  size: number;
  /** RFC 6962 root over them. */
  root: Uint8Array;
}

export interface SignedCosignature {
  cosignature: Cosignature;
  /** What was signed. */
  bytes: Uint8Array;
  signature: Uint8Array;
}

const DOMAIN = domain('cosignature');

export function encodeCosignature({ networkId, publicKey, size, root }: Cosignature): Uint8Array {
  return new RecordWriter()
    .bytes(DOMAIN)
    .fixed(networkId, HASH_BYTES)
    .fixed(publicKey, PUBLIC_KEY_BYTES)
    .safe(size)
    .fixed(root, HASH_BYTES)
    .finish();
}

export function signCosignature(key: SigningKey, cosignature: Cosignature): SignedCosignature {
  const bytes = encodeCosignature(cosignature);
  return { cosignature, bytes, signature: key.sign(bytes) };
}

/** Reads `bytes ‖ signature`. Throws COSIGNATURE_INVALID; checks no signature. */
export function decodeCosignature(signed: Uint8Array): SignedCosignature {
  const reader = new RecordReader(signed, (reason) => AiloError.of('COSIGNATURE_INVALID', { reason }));
  reader.domain(DOMAIN);
  const cosignature = {
    networkId: reader.fixed(HASH_BYTES),
    publicKey: reader.fixed(PUBLIC_KEY_BYTES),
    size: reader.safe(),
    root: reader.fixed(HASH_BYTES),
  };
  const signature = reader.fixed(SIGNATURE_BYTES);
  reader.end();
  return { cosignature, bytes: signed.slice(0, -SIGNATURE_BYTES), signature };
}
