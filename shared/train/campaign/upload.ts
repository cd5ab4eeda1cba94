/** What a wallet signs when it hands in an update: “this is what I made of this unit, for this network”. */
import { hexToBytes } from '@noble/hashes/utils.js';
import { domain, HASH_BYTES, RecordWriter } from '../../ledger/binary.ts';
import { UNIT_BYTES } from '../../ledger/training-receipt.ts';

const DOMAIN = domain('update');

/** `networkId`, `unit` (16 bytes) and the update's SHA-256 as hex. */
export function uploadBytes(upload: { networkId: string; unit: string; hash: string }): Uint8Array {
  return new RecordWriter()
    .bytes(DOMAIN)
    .fixed(hexToBytes(upload.networkId), HASH_BYTES)
    .fixed(hexToBytes(upload.unit), UNIT_BYTES)
    .fixed(hexToBytes(upload.hash), HASH_BYTES)
    .finish();
}
