/**
 * A campaign of local texts whose coordinator is killed without warning at any point of its groups: it ends, with every
 * member of every accepted sum paid once. AILO_GROUP_KILLS says how often it is killed.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import {
  CANARY,
  foundLocalCampaign,
  type LocalNode,
  lettersOf,
  localNode,
  until,
} from '../../server/campaigns/groups/testing.ts';
import type { CampaignEvent } from '../../server/campaigns/state.ts';
import { openDatabase } from '../../server/store/database.ts';
import type { CampaignsResponse } from '../../shared/protocol/http.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { type ServerProcess, startProcess } from './process.ts';

const KILLS = Number(process.env.AILO_GROUP_KILLS ?? 4);
const ROUNDS = 3;
const WORKERS = 4;
/** About as long as a round takes here. */
const LONGEST_PAUSE_MS = 2500;

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let next = undo.pop(); next; next = undo.pop()) await next();
});

test(`groups whose coordinator is killed ${KILLS} times end, and pay each member of a sum once`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-groups-run-'));
  undo.push(() => rm(folder, { recursive: true, force: true }));
  await foundLocalCampaign(folder, {
    ...{ rounds: ROUNDS, localSteps: 12, batch: 8, minWorkers: WORKERS, maxWorkers: WORKERS },
    ...{ graceMs: 5000, roundTimeoutMs: 30_000, quorumPermille: 1000 },
    data: { mode: 'local', groupSize: WORKERS, threshold: 3, clip: 1 },
  });
  let server = await startProcess('./campaign-server.ts', [folder, '0']);
  undo.push(() => server.kill());
  const { url } = server;
  const nodes: LocalNode[] = [];
  for (let i = 0; i < WORKERS; i++) {
    const made = await localNode(url, join(folder, `node-${i}`), lettersOf(2000 + i) + CANARY);
    undo.push(() => made.node.stop());
    made.node.start();
    made.node.train(true, 'local');
    nodes.push(made);
  }
  const random = seededRandom(3);
  let killed = 0;
  for (; killed < KILLS && (await phaseOf(server)) !== 'finished'; killed++) {
    await new Promise((resolve) => setTimeout(resolve, random() % LONGEST_PAUSE_MS));
    await server.kill();
    server = await startProcess('./campaign-server.ts', [folder, new URL(url).port]);
  }
  expect(killed).toBeGreaterThan(0);
  await until(async () => (await phaseOf(server)) === 'finished');
  const inSums = await membersOfSums(folder);
  expect(inSums).toBeGreaterThanOrEqual(ROUNDS * 3);
  const paid = () => nodes.reduce((sum, { node }) => sum + (node.state.account?.transactions ?? 0), 0);
  await until(() => paid() >= inSums);
  expect(paid()).toBe(inSums);
}, 300_000);

async function phaseOf({ url }: ServerProcess): Promise<string> {
  const response = await fetch(`${url}/v1/campaigns`);
  return ((await response.json()) as CampaignsResponse).campaigns[0]!.phase;
}

/** How many members the sums had that were accepted: who was in a group's sum sent its update at that stage. */
async function membersOfSums(folder: string): Promise<number> {
  const database = await openDatabase(join(folder, 'ailo.sqlite'));
  const rows = await database.selectFrom('campaign_event').select('event').orderBy('number').execute();
  await database.destroy();
  const events = rows.map(({ event }) => JSON.parse(event) as CampaignEvent);
  const accepted = events.flatMap((event) =>
    event.kind === 'judged' ? event.verdicts.filter(({ score }) => score).map(({ unit }) => unit) : [],
  );
  const members = events.filter(
    (event) => event.kind === 'said' && event.saying.stage === 'updates' && accepted.includes(event.unit),
  );
  return members.length;
}
