/** A group on paper: members that talk to each other through the test. */
import { sha256 } from '../../bytes/sha256-sync.ts';
import { Wallet } from '../../wallet/wallet.ts';
import { GroupMember } from './member.ts';
import type { KeyList } from './statements.ts';

export const OCCASION = { networkId: '11'.repeat(32), unit: '22'.repeat(16) };

export interface PaperGroup {
  threshold: number;
  /** Sorted. */
  addresses: string[];
  member(address: string): GroupMember;
  keys: KeyList;
  /** Keys and shares went round among those. */
  sharers: string[];
}

export function walletsOf(count: number): Wallet[] {
  const wallets = Array.from({ length: count }, (_, i) => new Wallet(sha256(Uint8Array.of(i, 99))));
  return wallets.sort((a, b) => (a.address < b.address ? -1 : 1));
}

/** `size` members that have shared, but for those whose index is in `lost`: those sent their keys only. */
export async function sharedGroup(size: number, threshold: number, lost: readonly number[] = []): Promise<PaperGroup> {
  const wallets = walletsOf(size);
  const addresses = wallets.map(({ address }) => address);
  const members = new Map(
    wallets.map((wallet) => [wallet.address, new GroupMember({ ...OCCASION, wallet, members: addresses, threshold })]),
  );
  const member = (address: string) => members.get(address)!;
  const keys = Object.fromEntries(addresses.map((address) => [address, member(address).keys()]));
  const sharers = addresses.filter((_, i) => !lost.includes(i));
  const shares: Record<string, Record<string, string>> = {};
  for (const sharer of sharers) shares[sharer] = await member(sharer).shares(keys);
  for (const sharer of sharers) {
    const others = sharers.filter((other) => other !== sharer);
    member(sharer).hold(Object.fromEntries(others.map((other) => [other, shares[other]![sharer]!])));
  }
  return { threshold, addresses, member, keys, sharers };
}

/** What comes in, added up modulo 2^32. */
export function sumOf(updates: readonly Uint8Array[]): Uint32Array {
  const sum = new Uint32Array(updates[0]!.length / 4);
  for (const bytes of updates) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let i = 0; i < sum.length; i++) sum[i]! += view.getUint32(4 * i, true);
  }
  return sum;
}
