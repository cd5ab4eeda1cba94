import { OCCASION, sharedGroup, sumOf } from '../../../shared/train/group/testing.ts';
import { unmask } from '../../../shared/train/group/unmask.ts';

export interface MaskFigures {
  members: number;
  lost: number;
  values: number;
  /** Of what each member sends. */
  bytes: number;
  /** Of one member: keys and shares, and masking its values. */
  shareMs: number;
  maskMs: number;
  /** Of the coordinator: taking all masks away, with so many members lost after they shared. */
  unmaskMs: number;
}

/** Runs a whole group on one thread; the sum is checked. */
export async function measureMasks(members: number, lost: number, values: number): Promise<MaskFigures> {
  const sharing = performance.now();
  const group = await sharedGroup(members, members - lost);
  const shareMs = (performance.now() - sharing) / members;
  const survivors = group.addresses.slice(lost);
  const plain = survivors.map((_, k) => Int32Array.from({ length: values }, (_, i) => (i * (k + 3)) % 1000));
  const masking = performance.now();
  const updates: Uint8Array[] = [];
  for (const [k, survivor] of survivors.entries()) updates.push(await group.member(survivor).mask(plain[k]!));
  const maskMs = (performance.now() - masking) / survivors.length;
  const signatures = Object.fromEntries(survivors.map((one) => [one, group.member(one).agree(survivors)]));
  const revealed: Record<string, Record<string, string>> = {};
  for (const survivor of survivors) revealed[survivor] = await group.member(survivor).reveal(signatures);
  const { addresses, threshold, keys, sharers } = group;
  const sum = sumOf(updates);
  const unmasking = performance.now();
  await unmask(sum, { unit: OCCASION.unit, members: addresses, threshold, keys, sharers, survivors, revealed });
  const unmaskMs = performance.now() - unmasking;
  const last = values - 1;
  const expected = plain.reduce((total, one) => total + one[last]!, 0);
  if (sum[last] !== expected) throw new RangeError(`the sum is ${sum[last]}, not ${expected}`);
  return { members, lost, values, bytes: updates[0]!.length, shareMs, maskMs, unmaskMs };
}
