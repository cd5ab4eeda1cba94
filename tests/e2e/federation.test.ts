/**
 * Four Chromium profiles train a model together: the real extension with its training worker on WASM, the real
 * coordinator with its validation, and a reward for every update that counted.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createJournal } from '../../server/campaigns/journal.ts';
import { campaignOf, foundCampaign } from '../../server/campaigns/testing.ts';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { openDatabase } from '../../server/store/database.ts';
import { decodeGenesis } from '../../shared/ledger/genesis.ts';
import { trainingReward } from '../../shared/ledger/rewards.ts';
import type { CampaignsResponse, TransactionRecord } from '../../shared/protocol/http.ts';
import { buildForTest, openProfile, type Profile, startContributing } from './extension-harness.ts';

const WORKERS = 4;
const ROUNDS = 3;

let folder: string;
let coordinator: Coordinator;
let extension: Awaited<ReturnType<typeof buildForTest>>;
const profiles: Profile[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-federation-'));
  const timing = { graceMs: 60_000, quorumPermille: 1000, roundTimeoutMs: 120_000 };
  await foundCampaign(folder, campaignOf({ rounds: ROUNDS, minWorkers: WORKERS, localSteps: 8, batch: 8, ...timing }));
  const log = pino({ level: 'warn' }, pino.destination(2));
  coordinator = await startCoordinator({ dataDir: folder, host: '127.0.0.1', port: 0, models: [], log });
  extension = await buildForTest(coordinator.url);
  for (let i = 0; i < WORKERS; i++) profiles.push(await openProfile(extension.dir));
});

afterAll(async () => {
  for (const profile of profiles) await profile.close();
  await coordinator?.close();
  await extension?.remove();
  await rm(folder, { recursive: true, force: true });
});

it('four browsers train, hold the same bits after every round, and are paid by the formula', async () => {
  const popups: Page[] = [];
  for (const profile of profiles) popups.push(await startContributing(profile));
  for (const popup of popups) await popup.getByRole('tab', { name: 'Earnings' }).click();
  const status = async () => {
    const { campaigns } = (await (await fetch(`${coordinator.url}/v1/campaigns`)).json()) as CampaignsResponse;
    return campaigns[0]!;
  };
  await expect.poll(() => popups[0]!.getByTestId('training').textContent(), { timeout: 120_000 }).toContain('tiny');
  await expect.poll(async () => (await status()).phase, { timeout: 180_000 }).toBe('finished');
  const { weights, losses } = await status();
  for (const popup of popups) {
    await expect.poll(() => popup.getByTestId('weights').getAttribute('title'), { timeout: 30_000 }).toBe(weights);
  }
  await popups[0]!.getByTestId('loss-curve').getByText(`Round ${ROUNDS}`).waitFor();
  expect(losses).toHaveLength(ROUNDS);
  expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss);

  // An update names the weights its browser had, by their hash, and no other is taken.
  const units = await journalledUnits();
  expect(units).toHaveLength(ROUNDS * WORKERS);
  const response = await fetch(`${coordinator.url}/v1/network`);
  const { genesis } = (await response.json()) as { genesis: object };
  const rules = decodeGenesis(new TextEncoder().encode(JSON.stringify(genesis)));
  for (const wallet of new Set(units.map((unit) => unit.wallet))) {
    const rewards = await rewardsOf(wallet);
    expect(rewards).toHaveLength(ROUNDS);
    for (const { reference, amountMicroAlc } of rewards) {
      const receipt = await (await fetch(`${coordinator.url}/v1/receipts/${reference}`)).json();
      expect(receipt).toMatchObject({ kind: 'training', wallet, ranked: WORKERS });
      expect(BigInt(amountMicroAlc)).toBe(trainingReward(rules, receipt, 1_000_000));
    }
  }
  for (const profile of profiles) expect(profile.problems).toEqual([]);
});

async function rewardsOf(wallet: string): Promise<TransactionRecord[]> {
  const load = async () => {
    const response = await fetch(`${coordinator.url}/v1/accounts/${wallet}/transactions`);
    return ((await response.json()) as { transactions: TransactionRecord[] }).transactions;
  };
  await expect.poll(async () => (await load()).length, { timeout: 30_000 }).toBe(ROUNDS);
  return load();
}

async function journalledUnits() {
  const database = await openDatabase(join(folder, 'ailo.sqlite'));
  const state = await createJournal(database, 'tiny').replay();
  await database.destroy();
  return [...state!.units.values()].filter(({ status }) => status === 'accepted');
}
