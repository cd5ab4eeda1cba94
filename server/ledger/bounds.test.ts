/** What is bounded, with bounds small enough to reach: the log's window, the batch, the backlog. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Checkpoint } from '../../shared/ledger/checkpoint.ts';
import { verifyConsistency } from '../../shared/ledger/merkle-proof.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { openLedger } from './ledger.ts';
import { cosignature, genesis, inference, networkKey, START_MS, transfer, wallets } from './testing.ts';
import type { Ledger } from './types.ts';

vi.mock('../../shared/ledger/limits.ts', async (original) => ({
  ...(await original<object>()),
  COSIGNATURE_WINDOW: 512,
}));
vi.mock('./limits.ts', async (original) => ({
  ...(await original<object>()),
  MAX_BACKLOG: 100,
  MAX_BATCH_ENTRIES: 100,
}));

let database: Database;
let ledger: Ledger;
let sizes: number[];

beforeEach(async () => {
  database = await openDatabase(':memory:');
  ledger = await open();
});
afterEach(() => database.destroy());

async function open(): Promise<Ledger> {
  sizes = [];
  return openLedger({
    database,
    networkKey,
    genesis,
    now: () => START_MS,
    async stall(point) {
      if (point === 'swapped') sizes.push((await head()).size);
    },
  });
}

const head = () => database.selectFrom('ledger_head').select('size').executeTakeFirstOrThrow();

/** So many inferences, each of five entries, asked for by wallets in turn. */
async function book(first: number, count: number): Promise<void> {
  const results = Array.from({ length: count }, (_, i) =>
    inference(first + i, { requester: wallets[5 + (i % 5)]!.address }),
  );
  await Promise.all(results.map((result) => ledger.mintInference(result)));
}

test('a batch takes no more when it has enough entries', async () => {
  await book(0, 60);
  expect(sizes).toEqual([100, 200, 300]);
});

test('a ledger opened again far from its beginning knows the roots of its window, and tells what is older by its tiles', async () => {
  const checkpoints: Checkpoint[] = [];
  for (let n = 0; n < 4; n++) {
    await book(60 * n, 60);
    checkpoints.push((await ledger.checkpoint()).checkpoint);
  }
  const [oldest, , within, newest] = checkpoints as [Checkpoint, Checkpoint, Checkpoint, Checkpoint];
  expect(newest.size).toBe(1200);
  await ledger.close();
  ledger = await open();
  expect((await ledger.checkpoint()).checkpoint).toEqual(newest);
  await ledger.submit('transfer', transfer(wallets[1]!, 1));
  const cosign = (checkpoint: Checkpoint) => ledger.submit('cosignature', cosignature(wallets[2]!, checkpoint));
  await expect(cosign(oldest)).rejects.toMatchObject({ code: 'COSIGNATURE_TOO_OLD' });
  // Within the window, but before the transfer.
  await expect(cosign(within)).rejects.toMatchObject({ code: 'COSIGNATURE_EMPTY' });
  const proof = await ledger.consistency(oldest.size, newest.size);
  expect(verifyConsistency(oldest, newest, proof!)).toBe(true);

  await ledger.close();
  for (const tile of [0, 1, 3]) {
    const { root } = await database
      .selectFrom('ledger_tile')
      .select('root')
      .where('index', '=', tile)
      .executeTakeFirstOrThrow();
    const put = (bytes: Uint8Array) =>
      database.updateTable('ledger_tile').set({ root: bytes }).where('index', '=', tile).execute();
    await put(new Uint8Array(32));
    await expect(open()).rejects.toMatchObject({ code: 'LEDGER_CORRUPT' });
    await put(root);
  }
  await open();
});

test('more than can wait is told to try again, and what waits is done', async () => {
  await ledger.mintInference(inference(1));
  const signed = transfer(wallets[1]!, 1);
  const outcomes = await Promise.allSettled(Array.from({ length: 110 }, () => ledger.submit('transfer', signed)));
  const done = outcomes.filter(({ status }) => status === 'fulfilled');
  expect(done).toHaveLength(100);
  expect(outcomes.at(-1)).toMatchObject({ reason: { code: 'LEDGER_BUSY' } });
  expect(await ledger.submit('transfer', signed)).toEqual({ index: 5 });
});

test('a closed ledger takes nothing more', async () => {
  await ledger.mintInference(inference(1));
  await ledger.close();
  await expect(ledger.submit('transfer', transfer(wallets[1]!, 1))).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
});
