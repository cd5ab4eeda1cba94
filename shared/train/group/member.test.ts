import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupMember } from './member.ts';
import { OCCASION, type PaperGroup, sharedGroup, sumOf, walletsOf } from './testing.ts';
import { unmask } from './unmask.ts';

/** Some are lost before they shared, some before they sent their values, some before they revealed; the sum of the rest. */
async function summed(group: PaperGroup, values: Map<string, Int32Array>, lostLate: number) {
  const { addresses, threshold, keys, sharers, member } = group;
  const survivors = sharers.filter((address) => values.has(address));
  const updates = [];
  for (const survivor of survivors) updates.push(await member(survivor).mask(values.get(survivor)!));
  const signatures = Object.fromEntries(survivors.map((one) => [one, member(one).agree(survivors)]));
  const revealed: Record<string, Record<string, string>> = {};
  for (const survivor of survivors.slice(lostLate)) revealed[survivor] = await member(survivor).reveal(signatures);
  const sum = sumOf(updates);
  await unmask(sum, { unit: OCCASION.unit, members: addresses, threshold, keys, sharers, survivors, revealed });
  return { sum: [...new Int32Array(sum.buffer)], updates, revealed, survivors };
}

/** Members who are lost in the three ways, of groups in which enough remain. */
const losses = fc
  .integer({ min: 3, max: 9 })
  .chain((size) => {
    const threshold = Math.floor((2 * size) / 3) + 1;
    const spare = size - threshold;
    const part = fc.integer({ min: 0, max: spare });
    return fc.tuple(fc.constant(size), fc.constant(threshold), part, part, part);
  })
  .filter(([size, threshold, ...lost]) => lost.reduce((sum, n) => sum + n, 0) <= size - threshold);

describe('secure aggregation', () => {
  it('gives the plain sum of those who stayed, whoever is lost and when', async () => {
    await fc.assert(
      fc.asyncProperty(losses, fc.integer(), async ([size, threshold, early, middle, late], seed) => {
        const group = await sharedGroup(
          size,
          threshold,
          Array.from({ length: early }, (_, i) => i),
        );
        const valuesOf = (i: number) => Int32Array.from({ length: 5 }, (_, k) => (seed * (i + 1) * 31 ** k) | 0);
        const staying = group.addresses.slice(early + middle);
        const values = new Map(staying.map((address, i) => [address, valuesOf(i)]));
        const { sum } = await summed(group, values, late);
        const plain = Array.from({ length: 5 }, (_, k) =>
          [...values.values()].reduce((total, one) => (total + one[k]!) | 0, 0),
        );
        expect(sum).toEqual(plain);
      }),
      { numRuns: 10 },
    );
  }, 60_000);

  it('shows nothing of one member’s values, and of no member both kinds of shares', async () => {
    const group = await sharedGroup(6, 5);
    const zeros = () => new Int32Array(4096);
    const values = new Map(group.addresses.slice(1).map((address) => [address, zeros()]));
    const { updates, revealed, survivors } = await summed(group, values, 0);
    for (const update of updates) {
      const bits = update.reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
      // Of 131,072 fair coins, ten deviations are 1,810.
      expect(Math.abs(bits - 4 * update.length)).toBeLessThan(1810);
    }
    for (const shown of Object.values(revealed)) {
      expect(Object.keys(shown).sort()).toEqual(group.addresses);
      for (const share of Object.values(shown)) expect(share).toHaveLength(64);
    }
    expect(survivors).toHaveLength(5);
  });

  it('fails where too few show their shares, or one shows wrong ones', async () => {
    const group = await sharedGroup(4, 3);
    const values = new Map(group.addresses.map((address) => [address, new Int32Array(2)]));
    await expect(summed(group, values, 2)).rejects.toMatchObject({ code: 'GROUP_UNSUMMED' });
  });
});

describe('a member', () => {
  const start = async () => {
    const group = await sharedGroup(6, 5);
    for (const address of group.addresses) await group.member(address).mask(new Int32Array(3));
    const [me, ...others] = group.addresses as [string, ...string[]];
    return { ...group, me, others };
  };

  it('is told once who survived: a coordinator that says both of somebody gets one share, not two', async () => {
    const { addresses, me, others, member } = await start();
    const without = addresses.filter((address) => address !== others[0]);
    const signatures = Object.fromEntries(without.map((one) => [one, member(one).agree(without)]));
    await member(me).reveal(signatures);
    expect(() => member(me).agree(addresses)).toThrow(expect.objectContaining({ code: 'GROUP_UNSAFE' }));
    // Asked again, it says the same again.
    expect(member(me).agree(without)).toBe(signatures[me]);
  });

  it('reveals nothing before enough agreed with it, in signatures of theirs', async () => {
    const { addresses, me, others, member } = await start();
    const without = addresses.filter((address) => address !== others[0]);
    const mine = member(me).agree(addresses);
    // The rest was told that somebody is lost.
    const theirs = Object.fromEntries(without.slice(1).map((one) => [one, member(one).agree(without)]));
    const unsafe = { code: 'GROUP_UNSAFE' };
    await expect(member(me).reveal({ ...theirs, [me]: mine })).rejects.toMatchObject(unsafe);
    const copied = Object.fromEntries(addresses.map((address) => [address, mine]));
    await expect(member(me).reveal(copied)).rejects.toMatchObject(unsafe);
  });

  it('takes part only where more than two thirds must agree, and with keys that their wallets signed', async () => {
    const [wallet, ...rest] = walletsOf(4) as [ReturnType<typeof walletsOf>[number]];
    const members = [wallet, ...rest].map(({ address }) => address);
    const options = { ...OCCASION, wallet, members };
    expect(() => new GroupMember({ ...options, members: members.slice(0, 3), threshold: 2 })).toThrow();
    expect(() => new GroupMember({ ...options, members: members.slice(1), threshold: 3 })).toThrow();
    const member = new GroupMember({ ...options, threshold: 3 });
    const forged = Object.fromEntries(members.map((address) => [address, member.keys()]));
    await expect(member.shares(forged)).rejects.toMatchObject({ code: 'GROUP_UNSAFE' });
  });

  it('masks once: twice the same mask would show the difference', async () => {
    const { me, member } = await start();
    await expect(member(me).mask(new Int32Array(3))).rejects.toMatchObject({ code: 'GROUP_UNSAFE' });
  });
});
