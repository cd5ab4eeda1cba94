/**
 * A campaign whose coordinator and workers are killed without warning at any point of its rounds: the weights are those
 * of an undisturbed campaign, or what was lost is known; and no unit is paid twice. AILO_CAMPAIGN_KILLS says how often
 * the coordinator is killed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJournal } from '../../server/campaigns/journal.ts';
import { campaignOf, foundCampaign } from '../../server/campaigns/testing.ts';
import { createHeadlessNode, type HeadlessNode } from '../../server/node/headless.ts';
import { openDatabase } from '../../server/store/database.ts';
import type { CampaignsResponse } from '../../shared/protocol/http.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { modelOf } from '../../shared/train/campaign/campaign.ts';
import { type ServerProcess, startProcess } from './process.ts';

const KILLS = Number(process.env.AILO_CAMPAIGN_KILLS ?? 3);
const ROUNDS = 4;
const WORKERS = 3;
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const log = pino({ level: 'silent' });

interface World {
  url: string;
  nodes: HeadlessNode[];
  folder: string;
  /** Kills the coordinator and starts it again; false where the campaign is over. */
  restart(): Promise<boolean>;
}

interface Outcome {
  weights: string;
  /** What the workers earned together, µALC. */
  earned: bigint;
  transactions: number;
}

describe('a campaign', () => {
  let template: string;
  let seed = 1;

  beforeAll(async () => {
    template = await mkdtemp(join(tmpdir(), 'ailo-campaign-'));
    await found(template);
    for (let i = 0; i < WORKERS; i++) {
      const node = await createHeadlessNode({ ...nodeOptions('http://127.0.0.1:1', template, i) });
      await node.stop();
    }
  });
  afterAll(() => rm(template, { recursive: true, force: true }));

  test(`whose coordinator is killed ${KILLS} times ends with the same weights and pays once`, async () => {
    const undisturbed = await run(async () => undefined);
    expect(undisturbed.transactions).toBe(ROUNDS * WORKERS);
    let killed = 0;
    while (killed < KILLS) {
      const outcome = await run(async (world) => {
        const random = seededRandom(seed++);
        for (let kill = 0; kill < 3 && killed < KILLS; kill++, killed++) {
          await pause(random() % 1500);
          if (!(await world.restart())) break;
        }
        return undefined;
      });
      expect(outcome.weights).toBe(undisturbed.weights);
      expect(outcome.transactions).toBe(undisturbed.transactions);
    }
  });

  test('goes on with a worker that was killed and comes back, and pays what was handed in once', async () => {
    const { transactions } = await run(async ({ url, nodes, folder }) => {
      await nodes[0]!.stop();
      const start = () => spawnWorker(url, join(folder, 'node-0'));
      const worker = start();
      await pause(4000 + (seededRandom(seed++)() % 3000));
      worker.kill('SIGKILL');
      await once(worker, 'exit');
      const again = start();
      return async () => {
        again.kill('SIGTERM');
        await once(again, 'exit');
      };
    });
    expect(transactions).toBeGreaterThanOrEqual(ROUNDS * (WORKERS - 1));
  });

  /** Runs the campaign from its beginning to its end while `disturb` does what it wants. */
  async function run(disturb: (world: World) => Promise<undefined | (() => Promise<void>)>) {
    const folder = await mkdtemp(join(tmpdir(), 'ailo-campaign-run-'));
    await cp(template, folder, { recursive: true });
    let server = await startProcess('./campaign-server.ts', [folder, '0']);
    const { port } = new URL(server.url);
    const nodes: HeadlessNode[] = [];
    let undo: undefined | (() => Promise<void>);
    try {
      for (let i = 0; i < WORKERS; i++) {
        const node = await createHeadlessNode(nodeOptions(server.url, folder, i));
        node.start();
        node.train(true);
        nodes.push(node);
      }
      const restart = async () => {
        if ((await statusOf(server)).phase === 'finished') return false;
        await server.kill();
        server = await startProcess('./campaign-server.ts', [folder, port]);
        return true;
      };
      undo = await disturb({ url: server.url, nodes, folder, restart });
      await until(async () => (await statusOf(server)).phase === 'finished');
      return await outcomeOf(server, nodes, folder);
    } finally {
      await undo?.();
      for (const node of nodes) await node.stop();
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** When every accepted unit has been paid, and no longer changes. */
  async function outcomeOf(server: ServerProcess, nodes: HeadlessNode[], folder: string): Promise<Outcome> {
    const { weights } = await statusOf(server);
    const accepted = await acceptedUnits(folder);
    let outcome: Outcome = { weights, earned: 0n, transactions: 0 };
    await until(async () => {
      outcome = { weights, earned: 0n, transactions: 0 };
      for (const { wallet } of nodes) {
        const response = await fetch(`${server.url}/v1/accounts/${wallet.address}`);
        const account = (await response.json()) as { earnedTotalMicroAlc: string; transactions: number };
        outcome.earned += BigInt(account.earnedTotalMicroAlc);
        outcome.transactions += account.transactions;
      }
      return outcome.transactions >= accepted;
    });
    expect(outcome.transactions).toBe(accepted);
    return outcome;
  }
});

async function acceptedUnits(folder: string): Promise<number> {
  const database = await openDatabase(join(folder, 'ailo.sqlite'));
  const rows = await database.selectFrom('campaign_event').select('event').execute();
  expect(await createJournal(database, 'tiny').replay()).toMatchObject({ phase: 'finished' });
  await database.destroy();
  const events = rows.map(({ event }) => JSON.parse(event) as { kind: string; verdicts?: { score?: object }[] });
  const judged = events.filter(({ kind }) => kind === 'judged');
  return judged.reduce((sum, { verdicts }) => sum + verdicts!.filter(({ score }) => score).length, 0);
}

function nodeOptions(url: string, folder: string, index: number) {
  return { url, dataDir: join(folder, `node-${index}`), budgetBytes: 2 ** 28, threads: 1, log };
}

async function statusOf({ url }: ServerProcess) {
  const response = await fetch(`${url}/v1/campaigns`);
  return ((await response.json()) as CampaignsResponse).campaigns[0]!;
}

function spawnWorker(url: string, dataDir: string): ChildProcess {
  const options = ['--url', url, '--data', dataDir, '--threads', '1', '--budget-mib', '64', '--train', 'any'];
  return spawn(process.execPath, ['server/ailo.mjs', 'node', ...options], { cwd: ROOT });
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(met: () => Promise<boolean>): Promise<void> {
  for (const endMs = Date.now() + 120_000; Date.now() < endMs; await pause(100)) if (await met()) return;
  throw new Error('it did not come to that in two minutes');
}

async function found(dataDir: string): Promise<void> {
  const timing = { graceMs: 30_000, quorumPermille: 1000, roundTimeoutMs: 120_000 };
  const campaign = campaignOf({ rounds: ROUNDS, minWorkers: WORKERS, localSteps: 20, batch: 8, ...timing });
  const { vocabSize } = modelOf(campaign);
  const random = seededRandom(5);
  const corpus = Int32Array.from({ length: 9000 }, (_, i) => (i % 5 === 0 ? random() : i * 3) % vocabSize);
  await foundCampaign(dataDir, campaign, corpus);
}
