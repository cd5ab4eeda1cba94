import { expect, test } from 'vitest';
import { defaultGenesis } from './genesis.ts';
import { inferenceReward, issuanceRatePpm, trainingReward, useQuota } from './rewards.ts';
import { networkKey } from './testing.ts';

const genesis = defaultGenesis(networkKey.publicKey, 'test', 0);

test.each([
  [0, 1_000_000, 100_000n],
  [1, 1_000_000, 99_990n],
  [2500, 1_000_000, 75_000n],
  [4999, 1_000_000, 50_010n],
  [5000, 1_000_000, 50_000n],
  [3_600_000, 1_000_000, 50_000n],
  [0, 500_000, 50_000n],
  [4999, 333_333, 16_669n],
])('an answer after %i ms at a rate of %i ppm pays %i µALC', (latencyMs, ratePpm, microAlc) => {
  expect(inferenceReward(genesis, latencyMs, ratePpm)).toBe(microAlc);
});

test.each([
  // A standard unit of 8 sequences: 0.1 ALC, twice that for the best of its round.
  [8, 1, 5, 600_000, 1_000_000, 200_000n],
  [8, 3, 5, 600_000, 1_000_000, 150_000n],
  [8, 5, 5, 600_000, 1_000_000, 100_000n],
  [8, 1, 1, 600_000, 1_000_000, 100_000n],
  [8, 5, 5, 0, 1_000_000, 150_000n],
  [8, 5, 5, 300_000, 1_000_000, 125_000n],
  [64, 1, 2, 600_000, 500_000, 800_000n],
  [1, 2, 4, 600_000, 1_000_000, 20_833n],
])('an update of %i sequences, rank %i of %i, after %i ms at %i ppm pays %i µALC', (...given) => {
  const [sequences, rank, ranked, latencyMs, ratePpm, microAlc] = given;
  expect(trainingReward(genesis, { sequences, rank, ranked, latencyMs }, ratePpm)).toBe(microAlc);
});

test('the latency bonus is exact for figures that do not divide', () => {
  const odd = { ...genesis, inference: { ...genesis.inference, latencyBonusMicroAlc: '10', latencyBonusUntilMs: 3 } };
  expect([0, 1, 2, 3].map((ms) => inferenceReward(odd, ms, 1_000_000) - 50_000n)).toEqual([10n, 6n, 3n, 0n]);
});

test.each([
  ['nothing minted', 0n, 0, 1_000_000],
  ['just the target', 30_000_000n, 3, 1_000_000],
  ['a little more', 40_000_000n, 3, 750_000],
  ['twice the target', 60_000_000n, 3, 500_000],
  ['far more', 10n ** 15n, 3, 500_000],
])('the rate after an epoch with %s', (_, mintedMicroAlc, earners, ratePpm) => {
  expect(issuanceRatePpm(genesis, { mintedMicroAlc, earners })).toBe(ratePpm);
});

test('the quota counts by clock hour', () => {
  const minute = 60_000;
  expect(useQuota(genesis, { quotaHour: 0, quotaUsed: 59 }, 59 * minute)).toEqual({ quotaHour: 0, quotaUsed: 60 });
  expect(() => useQuota(genesis, { quotaHour: 0, quotaUsed: 60 }, 59 * minute)).toThrow(/60 requests/);
  expect(useQuota(genesis, { quotaHour: 0, quotaUsed: 60 }, 60 * minute)).toEqual({ quotaHour: 1, quotaUsed: 1 });
});
