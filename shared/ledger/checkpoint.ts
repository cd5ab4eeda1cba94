/**
 * Checkpoints: the coordinator's word that the log of `size` entries has this root and leads to this state.
 *
 *     "ailo/checkpoint/v1\0"  network id (32)  size (8)  root (32)  state hash (32)  time in ms (8)
 *
 * Little-endian; signed by the network's key. Two signed checkpoints that don't fit are proof of a forked log.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { verify } from '../wallet/public-key.ts';
import type { SigningKey } from '../wallet/wallet.ts';
import { domain, equalBytes, HASH_BYTES, RecordReader, RecordWriter } from './binary.ts';

export interface Checkpoint {
  networkId: Uint8Array;
  /** Entries in the log. */
  size: number;
  /** RFC 6962 root over them. */
  root: Uint8Array;
  /** Of the state after them. */
  stateHash: Uint8Array;
  /** Unix time; that of the last entry. */
  timeMs: number;
}

/** The bytes that were signed and the network key's signature over them. */
export interface Seal {
  bytes: Uint8Array;
  signature: Uint8Array;
}

const DOMAIN = domain('checkpoint');

export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array {
  return new RecordWriter()
    .bytes(DOMAIN)
    .fixed(checkpoint.networkId, HASH_BYTES)
    .safe(checkpoint.size)
    .fixed(checkpoint.root, HASH_BYTES)
    .fixed(checkpoint.stateHash, HASH_BYTES)
    .safe(checkpoint.timeMs)
    .finish();
}

/** Throws CHECKPOINT_INVALID for anything that `encodeCheckpoint` could not have written. Checks no signature. */
export function decodeCheckpoint(bytes: Uint8Array): Checkpoint {
  const reader = new RecordReader(bytes, invalid);
  reader.domain(DOMAIN);
  const checkpoint = {
    networkId: reader.fixed(HASH_BYTES),
    size: reader.safe(),
    root: reader.fixed(HASH_BYTES),
    stateHash: reader.fixed(HASH_BYTES),
    timeMs: reader.safe(),
  };
  reader.end();
  return checkpoint;
}

export function sealCheckpoint(key: SigningKey, checkpoint: Checkpoint): Seal {
  const bytes = encodeCheckpoint(checkpoint);
  return { bytes, signature: key.sign(bytes) };
}

/** The checkpoint of a seal, if this network signed it. Throws CHECKPOINT_INVALID, NETWORK_MISMATCH, SIGNATURE_INVALID. */
export function openSeal(seal: Seal, network: { id: Uint8Array; publicKey: Uint8Array }): Checkpoint {
  const checkpoint = decodeCheckpoint(seal.bytes);
  if (!equalBytes(checkpoint.networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  if (!verify(seal.signature, seal.bytes, network.publicKey)) throw AiloError.of('SIGNATURE_INVALID', {});
  return checkpoint;
}

/** For JSON: what a checkpoint says, readable, beside the bytes that were signed. */
export function describeSeal(seal: Seal) {
  const { size, root, stateHash, timeMs } = decodeCheckpoint(seal.bytes);
  return {
    size,
    root: bytesToHex(root),
    stateHash: bytesToHex(stateHash),
    timeMs,
    bytes: bytesToHex(seal.bytes),
    signature: bytesToHex(seal.signature),
  };
}

function invalid(reason: string): AiloError {
  return AiloError.of('CHECKPOINT_INVALID', { reason });
}
