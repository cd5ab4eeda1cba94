/** Addresses of accounts, each spelled once: a batch names the same few wallets over and over. */
import { encodeAddress } from '../../shared/wallet/address.ts';

/** Records of one account share their key's bytes; when the ledger forgets those, so does this. */
const spelled = new WeakMap<Uint8Array, string>();

export function addressOf(publicKey: Uint8Array): string {
  const known = spelled.get(publicKey);
  if (known !== undefined) return known;
  const address = encodeAddress(publicKey);
  spelled.set(publicKey, address);
  return address;
}
