import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, expect, test } from 'vitest';
import { defaultGenesis } from '../../shared/ledger/genesis.ts';
import { trainingReward } from '../../shared/ledger/rewards.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { createHeadlessNode, type HeadlessNode } from '../node/headless.ts';
import { campaignsFolder } from './campaigns.ts';
import { CampaignFolder } from './folder.ts';
import { campaignOf, foundCampaign } from './testing.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let next = undo.pop(); next; next = undo.pop()) await next();
});
const log = pino({ level: process.env.AILO_LOG ?? 'silent' });

const until = async (met: () => boolean | Promise<boolean>) => {
  for (let tries = 0; tries < 600; tries++) {
    if (await met()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not come to that in a minute');
};

test('three nodes train a model over real sockets, learn, end with the same bits, and are paid by rank', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'ailo-campaign-'));
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
  const timing = { graceMs: 20_000, quorumPermille: 1000 };
  const campaign = campaignOf({ rounds: 3, minWorkers: 3, localSteps: 6, batch: 8, ...timing });
  await foundCampaign(dataDir, campaign);
  await expect(foundCampaign(dataDir, campaign)).rejects.toMatchObject({ code: 'CAMPAIGN_EXISTS' });
  const coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models: [], log });
  undo.push(() => coordinator.close());
  const nodes: HeadlessNode[] = [];
  /** The weights that each node has had, in order. */
  const had = new Map<string, Set<string>>();
  for (const name of ['a', 'b', 'c']) {
    const node = await createHeadlessNode({
      ...{ url: coordinator.url, dataDir: join(dataDir, name), budgetBytes: 2 ** 28, threads: 1, log },
    });
    undo.push(() => node.stop());
    const seen = new Set<string>();
    had.set(name, seen);
    node.subscribe(({ training }) => training.kind === 'waiting' && training.weights && seen.add(training.weights));
    node.start();
    node.train(campaign.id);
    nodes.push(node);
  }
  const status = async () => {
    const response = await fetch(`${coordinator.url}/v1/campaigns`);
    return ((await response.json()) as { campaigns: { phase: string; round: number; weights: string }[] })
      .campaigns[0]!;
  };
  await until(async () => (await status()).phase === 'finished');
  const { round, weights } = await status();
  expect(round).toBe(3);
  const folder = new CampaignFolder(join(campaignsFolder(dataDir), campaign.id));
  const bytes = await (await fetch(`${coordinator.url}/v1/campaigns/${campaign.id}/weights/3`)).arrayBuffer();
  expect(Buffer.from(bytes).equals(await readFile(folder.weights(3)))).toBe(true);
  await until(() => nodes.every(({ state }) => state.account?.transactions === 3));
  await until(() => [...had.values()].every((seen) => seen.has(weights)));
  const [first] = had.values();
  expect(first!.size).toBeGreaterThanOrEqual(3);
  for (const seen of had.values()) expect([...seen]).toEqual([...first!]);
  // What one round pays follows from the receipts alone.
  for (const { state } of nodes) {
    const url = `${coordinator.url}/v1/accounts/${state.address}/transactions`;
    const { transactions } = (await (await fetch(url)).json()) as {
      transactions: { type: string; amountMicroAlc: string; reference: string }[];
    };
    expect(transactions.map(({ type }) => type)).toEqual(Array(3).fill('training-reward'));
    for (const { amountMicroAlc, reference } of transactions) {
      const receipt = await (await fetch(`${coordinator.url}/v1/receipts/${reference}`)).json();
      expect(receipt).toMatchObject({ kind: 'training', wallet: state.address, campaign: campaign.id, ranked: 3 });
      const genesis = defaultGenesis(new Uint8Array(32), 'any', 0);
      expect(BigInt(amountMicroAlc)).toBe(trainingReward(genesis, receipt, 1_000_000));
    }
  }
}, 120_000);
