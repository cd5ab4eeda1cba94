/** Addresses: bech32m (BIP-350) of the 32-byte public key, `alc1…`, always in small letters, 62 characters. */
import { bech32m } from '@scure/base';
import { AiloError } from '../errors/index.ts';
import { checkPublicKey, PUBLIC_KEY_BYTES } from './public-key.ts';

const PREFIX = 'alc';
const ADDRESS_LENGTH = 62;

/** The address of a public key that was checked when it first appeared. */
export function encodeAddress(publicKey: Uint8Array): string {
  if (publicKey.length !== PUBLIC_KEY_BYTES) {
    throw AiloError.of('ADDRESS_INVALID', { reason: `its key has ${publicKey.length} bytes, not ${PUBLIC_KEY_BYTES}` });
  }
  return bech32m.encode(PREFIX, bech32m.toWords(publicKey));
}

/** The public key of an address. Throws ADDRESS_INVALID, or PUBLIC_KEY_INVALID for a key that no wallet can have. */
export function decodeAddress(address: string): Uint8Array {
  const key = keyOfAddress(address);
  checkPublicKey(key);
  return key;
}

/**
 * The key that an address spells, whether or not a wallet can have it: for addresses whose key is or will be checked
 * elsewhere, since that costs about a millisecond. Throws ADDRESS_INVALID.
 */
export function keyOfAddress(address: string): Uint8Array {
  if (address.length !== ADDRESS_LENGTH) {
    throw AiloError.of('ADDRESS_INVALID', { reason: `it has ${address.length} characters, not ${ADDRESS_LENGTH}` });
  }
  // bech32 allows capitals throughout; one wallet having two spellings would be a trap, so we don't.
  if (!address.startsWith(`${PREFIX}1`) || address !== address.toLowerCase()) {
    throw AiloError.of('ADDRESS_INVALID', { reason: `it does not begin with “${PREFIX}1” in small letters` });
  }
  try {
    return bech32m.fromWords(bech32m.decode(address as `${string}1${string}`).words);
  } catch {
    throw AiloError.of('ADDRESS_INVALID', { reason: 'a character is wrong, its checksum does not fit' });
  }
}
