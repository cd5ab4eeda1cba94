/** What members of a group sign with their wallets: so nobody between them can pass for one of them. */
import { hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import { domain, HASH_BYTES, RecordWriter } from '../../ledger/binary.ts';
import { UNIT_BYTES } from '../../ledger/training-receipt.ts';
import { keyOfAddress } from '../../wallet/address.ts';
import { verify } from '../../wallet/public-key.ts';

/** One member's keys of one round, hex. */
export interface MemberKeys {
  /** X25519: of the masks that pairs share, and of the boxes that shares are sent in. */
  maskKey: string;
  boxKey: string;
  /** SHA-256 of the seed of the mask that is the member's own. */
  commitment: string;
  /** Over the above. */
  signature: string;
}
/** By address. */
export type KeyList = Readonly<Record<string, MemberKeys>>;

/** What a signature is about: the network (hex of the genesis' hash) and the group's unit (hex). */
export interface Occasion {
  networkId: string;
  unit: string;
}

const KEYS = domain('group/keys');
const SURVIVORS = domain('group/survivors');

/** “These are my keys for this unit.” */
export function keysBytes(
  { networkId, unit }: Occasion,
  { maskKey, boxKey, commitment }: Omit<MemberKeys, 'signature'>,
): Uint8Array {
  return new RecordWriter()
    .bytes(KEYS)
    .fixed(hexToBytes(networkId), HASH_BYTES)
    .fixed(hexToBytes(unit), UNIT_BYTES)
    .fixed(hexToBytes(maskKey), 32)
    .fixed(hexToBytes(boxKey), 32)
    .fixed(hexToBytes(commitment), HASH_BYTES)
    .finish();
}

/** “Of all with these keys, the sum is over these”: whoever signs it will never help with another sum. */
export function survivorsBytes(
  { networkId, unit }: Occasion,
  keys: KeyList,
  survivors: readonly string[],
): Uint8Array<ArrayBuffer> {
  const lines = Object.keys(keys)
    .sort()
    .map((member) => `${member} ${keys[member]!.maskKey} ${keys[member]!.boxKey} ${keys[member]!.commitment}\n`);
  return new RecordWriter()
    .bytes(SURVIVORS)
    .fixed(hexToBytes(networkId), HASH_BYTES)
    .fixed(hexToBytes(unit), UNIT_BYTES)
    .fixed(sha256(utf8ToBytes(lines.join(''))), HASH_BYTES)
    .fixed(sha256(utf8ToBytes([...survivors].sort().join('\n'))), HASH_BYTES)
    .finish();
}

/** Whether the wallet with this address signed it. */
export function isSignedBy(address: string, signature: string, message: Uint8Array): boolean {
  return verify(hexToBytes(signature), message, keyOfAddress(address));
}
