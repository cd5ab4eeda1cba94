import { describe, expect, it } from 'vitest';
import { campaignOf } from '../../server/campaigns/testing.ts';
import type { AiloError } from '../errors/index.ts';
import type { FromCoordinator } from '../protocol/messages.ts';
import { walletsOf } from '../train/group/testing.ts';
import { createGroupSide } from './group-side.ts';

const WALLETS = walletsOf(4);
const CAMPAIGN = campaignOf({ data: { mode: 'local', groupSize: 4, threshold: 3, clip: 1 }, minWorkers: 4 });
const BRIEF: FromCoordinator['group'] = {
  ...{ campaign: 'tiny', unit: '11'.repeat(16), round: 0, start: '00'.repeat(32), threshold: 3 },
  members: WALLETS.map(({ address }) => address),
};

/** What one node answers, as `type key` lines. */
function groupSide() {
  const said: string[] = [];
  const errors: AiloError[] = [];
  const side = createGroupSide({
    wallet: WALLETS[0]!,
    networkId: () => '22'.repeat(32),
    campaignOf: async () => CAMPAIGN,
    send: (type, body) => void said.push(`${type} ${'maskKey' in body ? body.maskKey : ''}`),
    contribute: async () => {},
    onError: (error) => void errors.push(error),
  });
  return { side, said, errors };
}

describe('the node’s side of groups', () => {
  it('says the same keys when it is asked again, however soon', async () => {
    const { side, said } = groupSide();
    side.group(BRIEF);
    side.group(BRIEF);
    await expect.poll(() => said.length).toBe(2);
    side.group(BRIEF);
    await expect.poll(() => said.length).toBe(3);
    expect(new Set(said).size).toBe(1);
  });

  it('never comes back to a unit that it left: its keys would be others', async () => {
    const { side, said, errors } = groupSide();
    side.group(BRIEF);
    await expect.poll(() => said.length).toBe(1);
    side.forget(BRIEF.unit);
    side.group(BRIEF);
    side.group({ ...BRIEF, unit: '33'.repeat(16) });
    await expect.poll(() => said.length).toBe(2);
    expect(said[1]).not.toBe(said[0]);
    expect(errors).toEqual([]);
  });

  it.each([
    ['smaller than its campaign says', { members: BRIEF.members.slice(0, 3) }],
    ['one that may lose more than its campaign says', { threshold: 2 }],
    [
      'one of strangers',
      {
        members: walletsOf(6)
          .slice(0, 4)
          .map(({ address }) => `${address}x`),
      },
    ],
    ['one of a campaign that is over', { round: CAMPAIGN.rounds }],
  ])('joins no group that is %s', async (_, change) => {
    const { side, said, errors } = groupSide();
    side.group({ ...BRIEF, ...change });
    await expect.poll(() => errors.map(({ code }) => code)).toEqual(['GROUP_UNSAFE']);
    expect(said).toEqual([]);
  });
});
