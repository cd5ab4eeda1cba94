/** Every kind of entry that wallets cause, through crashes at every point of a commit and storage that fails. */
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Submission } from '../../shared/protocol/http.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { type Database, openDatabase } from '../store/database.ts';
import type { CommitPoint } from './committer.ts';
import { type LedgerOptions, openLedger } from './ledger.ts';
import {
  cosignature,
  failing,
  genesis,
  inference,
  networkKey,
  registration,
  report,
  START_MS,
  stopAt,
  transfer,
  wallets,
} from './testing.ts';
import type { Ledger } from './types.ts';

const [, ada, bo, , dee] = wallets as [never, Wallet, Wallet, never, Wallet];
type Wallet = (typeof wallets)[number];
const reported = transfer(ada, 1);
const reversedMs = START_MS + genesis.transfer.reversalDelayMs;

interface Step {
  name: string;
  nowMs: number;
  /** Absent for what the ledger does by itself. */
  submit?: (ledger: Ledger) => Promise<[Submission['kind'], Uint8Array]>;
}

/** A transfer's whole life; step i begins at entry 5 + i. */
const STORY: Step[] = [
  { name: 'registration', nowMs: START_MS, submit: async () => ['registration', registration(ada, 1, 'ada')] },
  { name: 'transfer', nowMs: START_MS, submit: async () => ['transfer', reported] },
  { name: 'cosignature', nowMs: START_MS, submit: async (ledger) => ['cosignature', await cosigned(ledger)] },
  { name: 'first report', nowMs: START_MS, submit: async () => ['report', report(bo, reported)] },
  { name: 'last report', nowMs: START_MS, submit: async () => ['report', report(dee, reported)] },
  { name: 'reversal', nowMs: reversedMs },
];
const FIRST = 5;

async function cosigned(ledger: Ledger): Promise<Uint8Array> {
  // Of the log as it was before, however often it is asked for.
  const signed = cosignature(bo, (await ledger.checkpoint()).checkpoint);
  firstCosignature ??= signed;
  return firstCosignature;
}
let firstCosignature: Uint8Array | undefined;

let folder: string;
const databases: Database[] = [];
/** Checkpoint and entries of the story that nothing disturbed. */
let undisturbed: { seal: unknown; entries: Uint8Array[] };

/** Only what is due soon comes; a crashed ledger's timers must not go on for ever. */
const soon: Schedule = (run, delayMs) => {
  const timer = delayMs > 5000 ? undefined : setTimeout(run);
  return () => clearTimeout(timer);
};

async function open(path: string, nowMs: number, options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const database = options.database ?? (await connect(path));
  const presentNodes = () => [bo.address, dee.address];
  return openLedger({ networkKey, genesis, now: () => nowMs, presentNodes, schedule: soon, ...options, database });
}

async function connect(path: string): Promise<Database> {
  const database = await openDatabase(path);
  databases.push(database);
  return database;
}

async function take(ledger: Ledger, index: number): Promise<void> {
  const { submit } = STORY[index]!;
  if (submit) expect(await ledger.submit(...(await submit(ledger)))).toEqual({ index: FIRST + index });
  await vi.waitFor(async () => expect((await ledger.checkpoint()).checkpoint.size).toBe(FIRST + index + 1), 10_000);
}

/** Tells the story from step `from` to its end, and what is in the log then. */
async function tellFrom(path: string, from: number) {
  for (let i = from; i < STORY.length; i++) {
    const ledger = await open(path, STORY[i]!.nowMs);
    await take(ledger, i);
    await ledger.close();
  }
  const ledger = await open(path, reversedMs);
  const { seal } = await ledger.checkpoint();
  return { seal, entries: await ledger.entries(0, 256) };
}

const before = (index: number) => join(folder, `before-${index}.sqlite`);
/** A database of its own in which the first `index` steps have happened. */
async function copyBefore(index: number): Promise<string> {
  const path = join(folder, `${Math.random()}.sqlite`);
  await copyFile(before(index), path);
  return path;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-ledger-'));
  const path = join(folder, 'story.sqlite');
  await (await open(path, START_MS)).mintInference(inference(1));
  for (let i = 0; i < STORY.length; i++) {
    await disconnect();
    await copyFile(path, before(i));
    await take(await open(path, STORY[i]!.nowMs), i);
  }
  undisturbed = await tellFrom(path, STORY.length);
});
afterEach(disconnect);
afterAll(() => rm(folder, { recursive: true }));

async function disconnect(): Promise<void> {
  for (const database of databases.splice(0)) await database.destroy();
}

const POINTS: CommitPoint[] = ['begun', 'staged', 'signed', 'swapped', 'published'];
const steps = STORY.map(({ name }, index) => [name, index] as const);

describe.each(steps)('a %s', (_, index) => {
  test.each(POINTS)('that a crash leaves %s is in the log once in the end, in its place', async (point) => {
    const path = await copyBefore(index);
    const { reached, stall } = stopAt(point);
    const { nowMs, submit } = STORY[index]!;
    const dying = await open(path, nowMs, { stall });
    if (submit) void dying.submit(...(await submit(dying)));
    await reached;
    expect(await tellFrom(path, index)).toEqual(undisturbed);
  });

  test.each([
    ['stage', 'before'],
    ['stage', 'after'],
    ['swap', 'before'],
    ['swap', 'after'],
    ['publish', 'before'],
    ['publish', 'after'],
  ] as const)('is made good when a %s fails %s its work', async (method, when) => {
    const path = await copyBefore(index);
    const database = await connect(path);
    const failures: unknown[] = [];
    const onFailure = (error: unknown) => failures.push(error);
    const ledger = await open(path, STORY[index]!.nowMs, {
      database,
      store: failing(database, method, when),
      onFailure,
    });
    await take(ledger, index);
    expect(failures.length).toBeGreaterThan(0);
    await ledger.close();
    expect(await tellFrom(path, index + 1)).toEqual(undisturbed);
    // Whatever was told again is where it was.
    const again = await open(path, reversedMs);
    for (let i = 0; i <= index; i++) {
      const { submit } = STORY[i]!;
      if (submit) expect(await again.submit(...(await submit(again)))).toEqual({ index: FIRST + i });
    }
  });
});

test('a reversal that is due waits for no event: the next start sees to it', async () => {
  const path = await copyBefore(STORY.length - 1);
  const ledger = await open(path, reversedMs + 86_400_000);
  await expect.poll(async () => (await ledger.checkpoint()).checkpoint.size).toBe(FIRST + STORY.length);
  expect(await ledger.account(ada.address)).toMatchObject({ availableMicroAlc: '40000' });
});
