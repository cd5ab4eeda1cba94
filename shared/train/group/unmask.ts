/** The coordinator's part: what is left when the masks of those in the sum are taken away. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import { AiloError } from '../../errors/index.ts';
import { addMask } from './masks.ts';
import { pairSeed, publicKeyOf, selfSeed } from './pair.ts';
import { combine, type Share } from './shamir.ts';
import type { KeyList } from './statements.ts';

export interface Unmasking {
  unit: string;
  /** All who were called, in the order of their shares' places. */
  members: readonly string[];
  threshold: number;
  keys: KeyList;
  /** Who has masks with whom: all who sent shares. */
  sharers: readonly string[];
  survivors: readonly string[];
  /** What members revealed, by who reveals, then of whom; hex. */
  revealed: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * Takes the masks from `sum`, the sum modulo 2^32 of what the survivors sent: their own masks, and those that they had
 * with members who are not in it. Throws GROUP_UNSUMMED where shares are too few, or do not lead to what was committed to.
 */
export async function unmask(sum: Uint32Array, unmasking: Unmasking): Promise<void> {
  const { unit, keys, sharers, survivors } = unmasking;
  for (const member of survivors) {
    const secret = secretOf(member, unmasking, (found) => bytesToHex(sha256(found)) === keys[member]!.commitment);
    await addMask(sum, selfSeed(secret, unit), -1);
  }
  for (const lost of sharers.filter((member) => !survivors.includes(member))) {
    const secret = secretOf(lost, unmasking, (found) => bytesToHex(publicKeyOf(found)) === keys[lost]!.maskKey);
    for (const member of survivors) {
      const seed = pairSeed(secret, hexToBytes(keys[member]!.maskKey), unit);
      await addMask(sum, seed, member < lost ? -1 : 1);
    }
  }
}

function secretOf(
  member: string,
  { members, threshold, revealed }: Unmasking,
  isRight: (secret: Uint8Array) => boolean,
): Uint8Array {
  const shares: Share[] = [];
  for (const [by, shown] of Object.entries(revealed)) {
    if (shown[member]) shares.push({ x: members.indexOf(by) + 1, bytes: hexToBytes(shown[member]) });
  }
  if (shares.length < threshold) throw failed('too few members showed their shares');
  const secret = combine(shares.slice(0, threshold));
  if (!isRight(secret)) throw failed('a member showed wrong shares');
  return secret;
}

function failed(reason: string): AiloError {
  return AiloError.of('GROUP_UNSUMMED', { reason });
}
