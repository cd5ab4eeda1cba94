/** Groups with a real coordinator and real nodes: what comes out is the plain sum, and nothing else goes out. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import type { AiloNode } from '../../../shared/node/types.ts';
import type { CampaignsResponse } from '../../../shared/protocol/http.ts';
import type { Campaign, LocalData } from '../../../shared/train/campaign/campaign.ts';
import { GroupMember } from '../../../shared/train/group/member.ts';
import { dequantise } from '../../../shared/train/group/quantise.ts';
import { type Coordinator, startCoordinator } from '../../coordinator/coordinator.ts';
import { openDatabase } from '../../store/database.ts';
import { campaignsFolder } from '../campaigns.ts';
import { CampaignFolder } from '../folder.ts';
import { createJournal } from '../journal.ts';
import type { CampaignState, Unit } from '../state.ts';
import { ALPHABET, CANARY, foundLocalCampaign, type LocalNode, lettersOf, localNode, log, until } from './testing.ts';
import { findTrace, latin1, tracesOf } from './traces.ts';

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let next = undo.pop(); next; next = undo.pop()) await next();
  vi.restoreAllMocks();
});

const DATA: LocalData = { mode: 'local', groupSize: 4, threshold: 3, clip: 1 };
const TIMING = { graceMs: 4000, quorumPermille: 1000, roundTimeoutMs: 30_000, localSteps: 6, batch: 8 };

interface World {
  dataDir: string;
  campaign: Campaign;
  coordinator: Coordinator;
  nodes: LocalNode[];
  /** What each member put under its masks, by address, round by round. */
  plain: Map<string, Int32Array[]>;
  restart(): Promise<void>;
}

async function world(workers: number, change: Partial<Campaign> = {}, firstText?: string): Promise<World> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ailo-groups-'));
  undo.push(() => rm(dataDir, { recursive: true, force: true }));
  const campaign = await foundLocalCampaign(dataDir, {
    ...TIMING,
    minWorkers: workers,
    maxWorkers: 9,
    data: DATA,
    ...change,
  });
  const plain = new Map<string, Int32Array[]>();
  const { mask } = GroupMember.prototype;
  vi.spyOn(GroupMember.prototype, 'mask').mockImplementation(function (this: GroupMember, values) {
    plain.set(this.address, [...(plain.get(this.address) ?? []), values]);
    return mask.call(this, values);
  });
  const start = (port: number) => startCoordinator({ dataDir, host: '127.0.0.1', port, models: [], log });
  let coordinator = await start(0);
  const port = Number(new URL(coordinator.url).port);
  undo.push(() => coordinator.close());
  const nodes: LocalNode[] = [];
  for (let i = 0; i < workers; i++) {
    const text = i === 0 && firstText !== undefined ? firstText : lettersOf(2000 + i) + CANARY;
    const made = await localNode(coordinator.url, join(dataDir, `node-${i}`), text);
    undo.push(() => made.node.stop());
    made.node.start();
    made.node.train(true, 'local');
    nodes.push(made);
  }
  return {
    ...{ dataDir, campaign, nodes, plain },
    get coordinator() {
      return coordinator;
    },
    async restart() {
      await coordinator.close();
      coordinator = await start(port);
    },
  };
}

async function stateOf({ dataDir, campaign }: World): Promise<CampaignState> {
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  const state = await createJournal(database, campaign.id).replay();
  await database.destroy();
  return state!;
}

async function statusOf({ coordinator }: World) {
  const { campaigns } = (await (await fetch(`${coordinator.url}/v1/campaigns`)).json()) as CampaignsResponse;
  return campaigns[0]!;
}

/** The mean in the coordinator's file is that of the members' plain values, to the bit. */
async function expectPlainSums(world: World, state: CampaignState): Promise<number> {
  const folder = new CampaignFolder(join(campaignsFolder(world.dataDir), world.campaign.id));
  const accepted = [...state.units.values()].filter(({ status }) => status === 'accepted');
  for (const { id, members, round } of accepted) {
    const parts = members!.map(({ wallet }) => world.plain.get(wallet)![round]!);
    const sum = parts[0]!.map((_, i) => parts.reduce((total, part) => (total + part[i]!) | 0, 0));
    const mean = dequantise(sum, DATA.clip, parts.length);
    const bytes = await readFile(folder.update(id));
    const body = new Uint8Array(bytes.subarray(bytes.length - mean.byteLength));
    expect(body).toEqual(new Uint8Array(mean.buffer));
  }
  return accepted.length;
}

/** It may last less than a look now and then would notice. */
function learning(node: AiloNode): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (node.state.training.kind !== 'learning') return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = node.subscribe(look);
    look();
  });
}

/** All bodies that were sent by HTTP. */
function bodiesOf(requests: { mock: { calls: Parameters<typeof fetch>[] } }): string[] {
  const sent = requests.mock.calls.flatMap(([url, init]) => [String(url), init?.body]);
  return sent.flatMap((part) => (part instanceof Uint8Array ? [latin1(part)] : part ? [String(part)] : []));
}

test('a group learns from texts that stay where they are: its sum is the plain sum, and each member is paid', async () => {
  const requests = vi.spyOn(globalThis, 'fetch');
  const all = await world(5, { rounds: 3 });
  await until(async () => (await statusOf(all)).phase === 'finished');
  expect(await expectPlainSums(all, await stateOf(all))).toBe(3);
  const { losses } = await statusOf(all);
  expect(losses.at(-1)!.loss).toBeLessThan(losses[0]!.loss);
  await until(() => all.nodes.every(({ node }) => node.state.account?.transactions === 3));
  for (const { texts } of all.nodes) expect(texts.rounds).toEqual([0, 1, 2]);

  const tokens = [...CANARY].map((letter) => ALPHABET.indexOf(letter));
  const traces = tracesOf(CANARY, tokens);
  const bodies = bodiesOf(requests);
  const said = all.nodes.flatMap((node) => node.said);
  expect(findTrace([...bodies, ...said], traces)).toBeUndefined();
  // The ear hears: the same text, sent, would have been found.
  expect(findTrace([...bodies, JSON.stringify({ tokens })], traces)).toBeDefined();
  const puts = requests.mock.calls.filter(([, init]) => init?.method === 'PUT');
  expect(puts).toHaveLength(15);
  expect(said.filter((message) => message.includes('groupRevealed')).length).toBeGreaterThanOrEqual(15);
}, 120_000);

test('who is lost while it learns is not in the sum, and the others’ sum is right without it', async () => {
  const all = await world(4, { rounds: 1 });
  await learning(all.nodes[0]!.node);
  await all.nodes[0]!.node.stop();
  await until(async () => (await statusOf(all)).phase === 'finished');
  const state = await stateOf(all);
  expect(await expectPlainSums(all, state)).toBe(1);
  const [{ members }] = [...state.units.values()] as [Unit];
  expect(members!.map(({ wallet }) => wallet)).not.toContain(all.nodes[0]!.node.wallet.address);
  expect(members).toHaveLength(3);
}, 120_000);

test('a coordinator that is restarted in the middle of a group goes on with it, or begins anew', async () => {
  const schedule = { peak: 3e-3, floor: 1e-3, warmup: 2, total: 24 };
  const all = await world(4, { rounds: 2, localSteps: 12, schedule });
  await Promise.race(all.nodes.map(({ node }) => learning(node)));
  await all.restart();
  await until(() => all.plain.size > 0);
  await all.restart();
  await until(async () => (await statusOf(all)).phase === 'finished');
  expect((await stateOf(all)).round).toBe(2);
}, 120_000);

test('who cannot learn from its text says why, and the others go on without it', async () => {
  const all = await world(5, { rounds: 1 }, 'Too short.');
  const [short] = all.nodes as [LocalNode];
  await until(() => short.node.state.training.kind === 'off');
  expect(short.node.state.training).toMatchObject({ error: { code: 'TRAINING_DATA_TOO_SHORT' } });
  await until(async () => (await statusOf(all)).phase === 'finished');
  expect(await expectPlainSums(all, await stateOf(all))).toBe(1);
  expect(all.plain.size).toBe(4);
  expect(short.texts.rounds).toEqual([]);
}, 120_000);

test('a named campaign takes part in no other mode than its own', async () => {
  const all = await world(1, { minWorkers: 4 });
  const [{ node }] = all.nodes as [LocalNode];
  node.train(false);
  node.train(all.campaign.id, 'public');
  await until(() => node.state.error?.code === 'CAMPAIGN_MODE');
  expect((await stateOf(all)).phase).toBe('waiting');
}, 30_000);
