import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openSeal } from '../../shared/ledger/checkpoint.ts';
import { CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { AccountResponse, TransactionsResponse } from '../../shared/protocol/http.ts';
import { AccountSummary } from '../../shared/protocol/messages.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { openLedger } from './ledger.ts';
import { genesis, inference, networkKey, START_MS, wallets } from './testing.ts';
import type { Ledger, TrainingReceiptRecord, TrainingResult } from './types.ts';

let database: Database;
let ledger: Ledger;
let nowMs: number;

beforeEach(async () => {
  nowMs = START_MS + 1000;
  database = await openDatabase(':memory:');
  ledger = await openLedger({ database, networkKey, genesis, now: () => nowMs });
});
afterEach(async () => {
  await ledger.close();
  await database.destroy();
});

const address = (i: number) => wallets[i]!.address;

describe('mintTraining', () => {
  const unit = (n: number, change: Partial<TrainingResult> = {}): TrainingResult => ({
    ...{ unit: n.toString(16).padStart(32, '0'), wallet: address(1), campaign: 'nano', round: 3, timeMs: START_MS },
    ...{ sequences: 8, rank: 1, ranked: 3, latencyMs: 600_000 },
    ...{ lossBeforeMicroNats: 2_000_000, lossAfterMicroNats: 1_990_000 },
    ...change,
  });

  test('pays 0.1 ALC for a standard unit, and as much again to the best of its round', async () => {
    const { transactions } = await ledger.mintTraining(unit(1));
    expect(transactions).toMatchObject([{ type: 'training-reward', to: address(1), amountMicroAlc: '200000' }]);
    const last = await ledger.mintTraining(unit(2, { wallet: address(2), rank: 3 }));
    expect(last.transactions).toMatchObject([{ to: address(2), amountMicroAlc: '100000' }]);
  });

  test('pays a work unit once, and shows its receipt', async () => {
    const outcomes = await Promise.all([1, 1, 2].map((n) => ledger.mintTraining(unit(n))));
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect((await ledger.account(address(1))).earnedTotalMicroAlc).toBe('400000');
    const { reference } = outcomes[2]!.transactions[0]!;
    const { number: _, hash, kind, ...result } = (await ledger.receipt(reference!)) as TrainingReceiptRecord;
    expect([hash, kind, result]).toEqual([reference, 'training', unit(2)]);
    await expect(ledger.mintTraining(unit(1, { rank: 2 }))).rejects.toMatchObject({ code: 'RECEIPT_CONFLICT' });
  });
});

describe('mintInference', () => {
  test('pays each participant 0.05 ALC and the requester nothing', async () => {
    const { transactions, unpaid } = await ledger.mintInference(inference(1));
    expect(unpaid).toBeUndefined();
    expect(transactions.map(({ to, amountMicroAlc }) => [to, amountMicroAlc])).toEqual(
      [1, 2, 3, 4].map((i) => [address(i), '50000']),
    );
    expect(v.parse(TransactionsResponse, { transactions }).transactions).toEqual(transactions);
    for (const i of [1, 2, 3, 4]) {
      expect(v.parse(AccountSummary, await ledger.account(address(i)))).toEqual({
        address: address(i),
        availableMicroAlc: '50000',
        pendingMicroAlc: '0',
        earnedTodayMicroAlc: '50000',
        earnedTotalMicroAlc: '50000',
        transactions: 1,
      });
    }
    expect(await ledger.account(address(0))).toMatchObject({ availableMicroAlc: '0', transactions: 0 });
    expect(v.is(AccountResponse, await ledger.account(address(9)))).toBe(true);
  });

  test('adds the latency bonus and excludes the requester who computed too', async () => {
    const { transactions } = await ledger.mintInference(inference(1, { latencyMs: 2500, requester: address(2) }));
    expect(transactions.map(({ to, amountMicroAlc }) => [to, amountMicroAlc])).toEqual(
      [1, 3, 4].map((i) => [address(i), '75000']),
    );
  });

  test('pays a job once, however often and at once it is asked to', async () => {
    const outcomes = await Promise.all([1, 2, 1, 1].map((n) => ledger.mintInference(inference(n))));
    outcomes.push(await ledger.mintInference(inference(1)));
    expect(outcomes[2]).toEqual(outcomes[0]);
    expect(outcomes[3]).toEqual(outcomes[0]);
    expect(outcomes[4]).toEqual(outcomes[0]);
    expect((await ledger.checkpoint()).checkpoint.size).toBe(10);
    expect(await ledger.account(address(1))).toMatchObject({ availableMicroAlc: '100000' });
  });

  test('refuses another result for a job that was paid, also in the same batch', async () => {
    const conflict = expect.objectContaining({ code: 'RECEIPT_CONFLICT' });
    const [first, other] = await Promise.allSettled([
      ledger.mintInference(inference(1)),
      ledger.mintInference(inference(1, { tokens: 201 })),
    ]);
    expect(first.status).toBe('fulfilled');
    expect(other).toEqual({ status: 'rejected', reason: conflict });
    await expect(ledger.mintInference(inference(1, { latencyMs: 1 }))).rejects.toEqual(conflict);
  });

  test.each([
    ['cut off before 16 tokens', { tokens: 15, finish: 'length' as const }, 'RECEIPT_TOO_SHORT'],
    [
      'computed by the requester alone',
      { participants: [{ address: address(0), start: 0, end: 9 }] },
      'RECEIPT_NOBODY_TO_PAY',
    ],
  ])('pays nothing for an answer %s', async (_, change, code) => {
    expect(await ledger.mintInference(inference(1, change))).toEqual({
      transactions: [],
      unpaid: expect.objectContaining({ code }),
    });
    expect((await ledger.checkpoint()).checkpoint.size).toBe(0);
  });

  test('pays a short answer that ended by itself', async () => {
    expect((await ledger.mintInference(inference(1, { tokens: 3, finish: 'stop' }))).transactions).toHaveLength(4);
  });

  test('stops paying when the requester’s hour is used up, and goes on in the next', async () => {
    const outcomes = await Promise.all(Array.from({ length: 61 }, (_, n) => ledger.mintInference(inference(n))));
    expect(outcomes.filter(({ unpaid }) => unpaid?.code === 'RECEIPT_OVER_QUOTA')).toHaveLength(1);
    nowMs += 3_600_000;
    expect((await ledger.mintInference(inference(99))).transactions).toHaveLength(4);
  });

  test.each([
    { job: 'nonsense' },
    { requester: 'alc1nobody' },
    { participants: [] },
    { tokens: 1.5 },
    { latencyMs: -1 },
    { model: 'a model' },
    { participants: [{ address: address(1), start: 3, end: 3 }] },
    { participants: [{ address: address(1).slice(0, -1), start: 0, end: 3 }] },
  ])('refuses what is not a result: %j', async (change) => {
    await expect(ledger.mintInference(inference(1, change))).rejects.toMatchObject({ code: 'RECEIPT_INVALID' });
    expect((await ledger.checkpoint()).checkpoint.size).toBe(0);
  });

  test('refuses to pay the network’s own key', async () => {
    const { encodeAddress } = await import('../../shared/wallet/address.ts');
    const participants = [{ address: encodeAddress(networkKey.publicKey), start: 0, end: 9 }];
    await expect(ledger.mintInference(inference(1, { participants }))).rejects.toMatchObject({
      code: 'RECIPIENT_INVALID',
    });
  });
});

describe('reading', () => {
  test('earned today is that of the UTC day, earned in total stays', async () => {
    await ledger.mintInference(inference(1));
    nowMs += 86_400_000;
    expect(await ledger.account(address(1))).toMatchObject({ earnedTodayMicroAlc: '0', earnedTotalMicroAlc: '50000' });
    await ledger.mintInference(inference(2));
    expect(await ledger.account(address(1))).toMatchObject({
      earnedTodayMicroAlc: '50000',
      earnedTotalMicroAlc: '100000',
    });
  });

  test('pages through a history, newest first', async () => {
    for (let n = 0; n < 5; n++) await ledger.mintInference(inference(n));
    const indices: number[] = [];
    let before: number | undefined;
    do {
      const page = await ledger.transactions(address(1), { before, limit: 2 });
      indices.push(...page.transactions.map(({ index }) => index));
      before = page.next;
    } while (before !== undefined);
    expect(indices).toEqual([21, 16, 11, 6, 1]);
    expect(await ledger.transactions(address(9), { limit: 100 })).toEqual({ transactions: [] });
  });

  test('a reward’s reference finds its receipt', async () => {
    const result = inference(7);
    const [reward] = (await ledger.mintInference(result)).transactions;
    expect(await ledger.receipt(reward!.reference!)).toEqual({
      kind: 'inference',
      ...result,
      hash: reward!.reference,
      number: 1,
    });
    expect(await ledger.receipt('00'.repeat(32))).toBeUndefined();
  });

  test('the checkpoint is signed and its root is that of the entries', async () => {
    await ledger.mintInference(inference(1));
    await ledger.mintInference(inference(2));
    const { checkpoint, seal } = await ledger.checkpoint();
    expect(openSeal(seal, networkOf(genesis))).toEqual(checkpoint);
    const range = new CompactRange();
    const entries = await ledger.entries(0, 1000);
    for (const bytes of entries) range.append(hashLeaf(bytes));
    expect(range.size).toBe(10);
    expect(range.root()).toEqual(checkpoint.root);
    expect(await ledger.entries(3, 5)).toEqual(entries.slice(3, 5));
  });

  test('tells subscribers whose accounts changed', async () => {
    const told: string[][] = [];
    ledger.subscribe(() => {
      throw new Error('a listener’s mistake');
    });
    const stop = ledger.subscribe((addresses) => told.push([...addresses]));
    await ledger.mintInference(inference(1));
    stop();
    await ledger.mintInference(inference(2));
    expect(told).toEqual([[1, 2, 3, 4].map(address)]);
  });
});

test('a clock that is set back does not take the log back', async () => {
  await ledger.mintInference(inference(1));
  nowMs -= 500;
  const [reward] = (await ledger.mintInference(inference(2))).transactions;
  expect(reward!.timeMs).toBe(START_MS + 1000);
});

test('a closed ledger finishes what it accepted and takes nothing more', async () => {
  const accepted = ledger.mintInference(inference(1));
  await ledger.close();
  expect((await accepted).transactions).toHaveLength(4);
  await expect(ledger.mintInference(inference(2))).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
});
