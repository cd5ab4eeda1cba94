import { expect, test } from 'vitest';
import { unitBatches } from '../../shared/train/campaign/unit.ts';
import { SAMPLED_BATCHES } from './limits.ts';
import { lotOf, samplesOf, shardOf } from './samples.ts';
import { campaignOf, textOf } from './testing.ts';

const campaign = campaignOf({ localSteps: 20 });
const training = textOf(4000, 65).map((token, i) => token + 1000 * Math.floor(i / 1000));
const unit = { shard: 3, seed: 5 };
const all = [...unitBatches(campaign, shardOf(campaign, training, 3), 5)].map(({ tokens }) => tokens.join());

test('some of the batches that a unit had, each once, and as many of another shard', () => {
  const { assigned, elsewhere } = samplesOf(campaign, training, unit, 7);
  const places = assigned.map(({ tokens }) => all.indexOf(tokens.join()));
  expect(new Set(places).size).toBe(SAMPLED_BATCHES);
  expect(places).not.toContain(-1);
  expect(elsewhere).toHaveLength(SAMPLED_BATCHES);
  expect(elsewhere.every(({ tokens }) => tokens.every((token) => token < 1000))).toBe(true);
});

test('which ones depends on what all have sent, and on nothing else', () => {
  const update = (hash: string) => ({ update: { hash, bytes: 1, norm: 1, values: 1, arrivedMs: 0 } });
  const lot = lotOf([update('aa'), update('bb')]);
  expect(lotOf([update('bb'), update('aa')])).toBe(lot);
  expect(lotOf([update('aa'), update('bc')])).not.toBe(lot);
  expect(samplesOf(campaign, training, unit, lot)).toEqual(samplesOf(campaign, training, unit, lot));
  expect(samplesOf(campaign, training, unit, 1)).not.toEqual(samplesOf(campaign, training, unit, 2));
});

test('a unit with fewer batches is measured on all of them', () => {
  const { assigned } = samplesOf({ ...campaign, localSteps: 2 }, training, unit, 7);
  expect(assigned).toHaveLength(2);
});
