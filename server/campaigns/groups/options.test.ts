import { describe, expect, it } from 'vitest';
import { campaignOf } from '../testing.ts';
import { describePromise, localSettings } from './options.ts';

const TRAINING = { parameters: 1_000_000, peak: 1e-3, localSteps: 100, rounds: 20 };
const usage = expect.objectContaining({ code: 'USAGE' });

describe('campaign create --local', () => {
  it('fills in a safe threshold, a clip that no honest step exceeds, and what makes 16 MB', () => {
    expect(localSettings({ local: true }, TRAINING)).toEqual({
      local: { mode: 'local', groupSize: 4, threshold: 3, clip: 100 },
      ...{ uplinkKeep: 4096, downlinkKeep: 1024, aggregator: 'mean' },
    });
    expect(localSettings({ local: true }, { ...TRAINING, parameters: 124_000_000 })!.uplinkKeep).toBe(138);
    expect(localSettings({ local: true, noise: '2', clip: '0.5' }, TRAINING)!.local.noise).toEqual({
      ...{ multiplier: 2, delta: 1e-6, sums: 25 },
    });
  });

  it('refuses groups that are not safe, noise without a clip, and options of the other mode', () => {
    expect(() => localSettings({ local: true, 'group-size': '2' }, TRAINING)).toThrow(usage);
    expect(() => localSettings({ local: true, 'group-size': '9', threshold: '6' }, TRAINING)).toThrow(usage);
    expect(() => localSettings({ local: true, noise: '1' }, TRAINING)).toThrow(usage);
    expect(() => localSettings({ noise: '1' }, TRAINING)).toThrow(usage);
    expect(localSettings({}, TRAINING)).toBeUndefined();
  });

  it('says what is promised', () => {
    expect(describePromise({ threshold: 3 })).toContain('sums of at least 3, without noise');
    expect(describePromise({ threshold: 6, noise: { epsilon: 3.0912, delta: 1e-6 } })).toContain('epsilon is 3.09');
  });
});

describe('the file of a campaign of local texts', () => {
  const LOCAL = { mode: 'local' as const, groupSize: 4, threshold: 3, clip: 1 };
  const invalid = expect.objectContaining({ code: 'CAMPAIGN_INVALID' });

  it.each([
    ['a sum of two thirds', { ...LOCAL, groupSize: 6, threshold: 4 }, 6],
    ['more than there are', { ...LOCAL, threshold: 5 }, 4],
    ['rounds with fewer than a group', LOCAL, 3],
    ['no clip', { ...LOCAL, clip: 0 }, 4],
    ['fewer sums than rounds', { ...LOCAL, noise: { multiplier: 1, delta: 1e-6, sums: 2 } }, 4],
    ['noise that is none', { ...LOCAL, noise: { multiplier: 1e-6, delta: 1e-6, sums: 9 } }, 4],
    ['shards, too', { ...LOCAL, shards: 3 } as typeof LOCAL, 4],
  ])('cannot have %s', (_, data, minWorkers) => {
    expect(() => campaignOf({ data, minWorkers, maxWorkers: 9 })).toThrow(invalid);
  });
});
