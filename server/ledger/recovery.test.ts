import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultGenesis } from '../../shared/ledger/genesis.ts';
import { CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import { SigningKey } from '../../shared/wallet/wallet.ts';
import { type Database, openDatabase } from '../store/database.ts';
import type { CommitPoint } from './committer.ts';
import { type LedgerOptions, openLedger } from './ledger.ts';
import { LedgerStore } from './store.ts';
import { failing, genesis, inference, networkKey, START_MS, stopAt, wallets } from './testing.ts';
import type { Ledger } from './types.ts';

let folder: string;
let databases: Database[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-ledger-'));
  databases = [];
});
afterEach(async () => {
  for (const database of databases) await database.destroy();
  await rm(folder, { recursive: true });
});

/** A connection of its own to the one database, as a new process has. */
async function connect(): Promise<Database> {
  const database = await openDatabase(join(folder, 'ledger.sqlite'));
  databases.push(database);
  return database;
}

async function open(options: Partial<LedgerOptions> = {}): Promise<Ledger> {
  const database = options.database ?? (await connect());
  return openLedger({ networkKey, genesis, now: () => START_MS, ...options, database });
}

const earned = async (ledger: Ledger, i = 1) => (await ledger.account(wallets[i]!.address)).availableMicroAlc;

/** The entries are those that the newest checkpoint seals. */
async function expectWhole(ledger: Ledger): Promise<void> {
  const range = new CompactRange();
  for (const bytes of await ledger.entries(0, 256)) range.append(hashLeaf(bytes));
  const { checkpoint } = await ledger.checkpoint();
  expect([range.size, range.root()]).toEqual([checkpoint.size, checkpoint.root]);
}

const SURVIVES: [CommitPoint, boolean][] = [
  ['begun', false],
  ['staged', true],
  ['signed', true],
  ['swapped', true],
  ['published', true],
];

describe.each(SURVIVES)('a crash when a commit has %s', (point, survives) => {
  test(`${survives ? 'keeps' : 'loses'} the unanswered booking and pays it once in the end`, async () => {
    await (await open()).mintInference(inference(1));
    const { reached, stall } = stopAt(point);
    void (await open({ stall })).mintInference(inference(2));
    await reached;

    const reopened = await open();
    expect(await earned(reopened)).toBe(survives ? '100000' : '50000');
    await reopened.mintInference(inference(2));
    expect(await earned(reopened)).toBe('100000');
    expect((await reopened.checkpoint()).checkpoint.size).toBe(10);
    // The same bytes in the same places as if nothing had happened.
    const undisturbed = await open({ database: await freshDatabase() });
    for (const n of [1, 2]) await undisturbed.mintInference(inference(n));
    expect(await reopened.checkpoint()).toEqual(await undisturbed.checkpoint());
    expect(await reopened.entries(0, 99)).toEqual(await undisturbed.entries(0, 99));
  });

  test('and one that was only asleep cannot fork the log', async () => {
    let wake = () => {};
    const asleep = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let stalls = 0;
    const failures: unknown[] = [];
    const sleeper = await open({
      stall: (at) => (at === point && stalls++ === 0 ? asleep : undefined),
      onFailure: (error) => failures.push(error),
    });
    const sleeping = sleeper.mintInference(inference(1));
    while (stalls === 0) await new Promise(setImmediate);
    const other = await open();
    await other.mintInference(inference(2));
    wake();
    await sleeping;
    expect(failures).toHaveLength(point === 'swapped' || point === 'published' ? 0 : 1);
    for (const ledger of [sleeper, other]) {
      expect(await earned(ledger)).toBe('100000');
      expect((await ledger.checkpoint()).checkpoint.size).toBe(10);
    }
    await other.mintInference(inference(3));
    await sleeper.mintInference(inference(4));
    expect(await earned(sleeper)).toBe('200000');
    expect(await earned(await open())).toBe('200000');
    await expectWhole(sleeper);
  });
});

test('two that staged in each other’s place end with one log and both bookings in it', async () => {
  const gates = [0, 1].map(() => {
    let [arrive, wake] = [() => {}, () => {}];
    const staged = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const awake = new Promise<void>((resolve) => {
      wake = resolve;
    });
    let stalls = 0;
    const stall = (at: CommitPoint) => {
      if (at !== 'staged' || stalls++ > 0) return;
      arrive();
      return awake;
    };
    return { staged, wake: () => wake(), stall };
  }) as [Gate, Gate];
  const [first, second] = [await open({ stall: gates[0].stall }), await open({ stall: gates[1].stall })];
  const paying = [first.mintInference(inference(1))];
  await gates[0].staged;
  paying.push(second.mintInference(inference(2)));
  await gates[1].staged;
  // The rows beyond the head are the second's now: the first must not seal them with its own checkpoint.
  gates[0].wake();
  await paying[0];
  gates[1].wake();
  await paying[1];
  for (const ledger of [first, second, await open()]) {
    await expectWhole(ledger);
    expect(await earned(ledger)).toBe('100000');
    expect((await ledger.checkpoint()).checkpoint.size).toBe(10);
  }
});

interface Gate {
  staged: Promise<void>;
  wake(): void;
  stall(at: CommitPoint): Promise<void> | undefined;
}

async function freshDatabase(): Promise<Database> {
  const database = await openDatabase(':memory:');
  databases.push(database);
  return database;
}

describe.each(['stage', 'swap', 'publish'] as const)('a %s', (method) => {
  test.each(['before', 'after'] as const)(
    'that fails %s its work is made good, and nothing is paid twice',
    async (when) => {
      const database = await connect();
      const failures: unknown[] = [];
      const ledger = await open({
        database,
        store: failing(database, method, when),
        onFailure: (error) => failures.push(error),
      });
      const outcomes = await Promise.all([1, 2, 2].map((n) => ledger.mintInference(inference(n))));
      expect(failures).toHaveLength(1);
      expect(outcomes[1]).toEqual(outcomes[2]);
      expect(await earned(ledger)).toBe('100000');
      expect(await earned(await open())).toBe('100000');
    },
  );
});

test('a store that keeps failing is told to the caller, and the ledger goes on when it is well again', async () => {
  const database = await connect();
  let broken = true;
  const store = new (class extends LedgerStore {
    override async stage(...args: Parameters<LedgerStore['stage']>) {
      if (broken) throw new Error('disk full');
      return super.stage(...args);
    }
  })(database);
  const ledger = await open({ database, store });
  await expect(ledger.mintInference(inference(1))).rejects.toMatchObject({ code: 'LEDGER_FAILED' });
  broken = false;
  expect((await ledger.mintInference(inference(1))).transactions).toHaveLength(4);
});

describe('opening', () => {
  test('refuses the ledger of another network', async () => {
    await open();
    const otherKey = new SigningKey(new Uint8Array(32).fill(201));
    const other = { networkKey: otherKey, genesis: defaultGenesis(otherKey.publicKey, 'other', START_MS) };
    await expect(open(other)).rejects.toMatchObject({ code: 'LEDGER_OTHER_NETWORK' });
  });

  test.each([
    ['a changed balance', `update ledger_account set record = (select record from ledger_account where position = 1)`],
    ['a changed total', `update ledger_published set totals = zeroblob(length(totals))`],
    ['a tile’s root that is none', `insert into ledger_tile values (0, zeroblob(32))`],
    ['a changed entry', `update ledger_entry set bytes = zeroblob(30) where position = 1`],
    ['a forged signature', `update ledger_head set signature = zeroblob(64)`],
    ['a checkpoint that is none', `update ledger_head set checkpoint = zeroblob(10)`],
    ['a missing account', `delete from ledger_account where position = 2`],
    ['a record that is none', `update ledger_account set record = zeroblob(3)`],
  ])('refuses %s', async (_, statement) => {
    const database = await connect();
    await (await open({ database })).mintInference(inference(1));
    const { sql } = await import('kysely');
    await sql.raw(statement).execute(database);
    await expect(open()).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
  });
});
