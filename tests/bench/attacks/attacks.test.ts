import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { campaignOf, textOf } from '../../../server/campaigns/testing.ts';
import { splitCorpus } from '../../../shared/train/data.ts';
import { runCampaign } from './run.ts';
import type { World } from './world.ts';

const WORKERS = 5;
const ROUNDS = 3;
/** Enough for a machine that has much else to do. */
const TIMEOUT_MS = 120_000;

let world: World;
beforeAll(async () => {
  const campaign = campaignOf({ rounds: ROUNDS, minWorkers: WORKERS, maxWorkers: WORKERS, localSteps: 6, batch: 8 });
  const { training, validation } = splitCorpus(textOf(9000, 65), 0.9, campaign);
  world = { campaign, folder: await mkdtemp(join(tmpdir(), 'ailo-attacks-')), training, validation };
});
afterAll(() => rm(world.folder, { recursive: true, force: true }));

test(
  'nobody honest is refused, and everybody is paid',
  async () => {
    const { accused, honestMicroAlc } = await runCampaign(world, 0, undefined, new AbortController().signal);
    expect(accused).toEqual({});
    expect(honestMicroAlc).toBeGreaterThan(0n);
  },
  TIMEOUT_MS,
);

test.each([
  ['replay', 'it repeats what earlier rounds found'],
  ['copy', 'it is a copy of another update'],
  ['flip', 'it makes the model worse'],
  ['free-rider', 'it is far smaller than the others'],
] as const)(
  '%s is found every time, and earns nothing',
  async (attack, reason) => {
    const { refused, accused, liarMicroAlc } = await runCampaign(world, 1, attack, new AbortController().signal);
    expect(refused).toEqual({ [reason]: ROUNDS - 1 });
    expect(accused).toEqual({});
    expect(liarMicroAlc).toBe(0n);
  },
  TIMEOUT_MS,
);
