import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TransactionRecord } from '../../shared/protocol/http.ts';
import { fetchTransactions, lineOf } from './transactions.ts';

const ME = `alc1${'q'.repeat(58)}`;
const OTHER = `alc1${'p'.repeat(58)}`;

const record = (change: Partial<TransactionRecord> = {}): TransactionRecord => ({
  index: 7,
  hash: 'a'.repeat(64),
  type: 'inference-reward',
  to: ME,
  amountMicroAlc: '50000',
  feeMicroAlc: '0',
  timeMs: 1_790_000_000_000,
  memo: '',
  state: 'confirmed',
  confirmations: 10,
  ...change,
});

describe('the history from the coordinator', () => {
  let server: Server;
  let coordinatorUrl: string;
  let respond: { status: number; body: string };
  const asked: string[] = [];

  beforeAll(async () => {
    server = createServer(({ url }, response) => {
      asked.push(url!);
      response.writeHead(respond.status).end(respond.body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    coordinatorUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  const load = (before?: number, url = coordinatorUrl) =>
    fetchTransactions({
      coordinatorUrl: url,
      address: ME,
      signal: AbortSignal.timeout(10_000),
      ...(before !== undefined && { before }),
    });

  it('is asked page by page', async () => {
    respond = { status: 200, body: JSON.stringify({ transactions: [record()], next: 7 }) };
    expect(await load()).toEqual({ transactions: [record()], next: 7 });
    await load(7);
    expect(asked).toEqual([
      `/v1/accounts/${ME}/transactions?limit=20`,
      `/v1/accounts/${ME}/transactions?limit=20&before=7`,
    ]);
  });

  it.each([
    ['no JSON', '<html>'],
    ['another shape', '{"transactions":{}}'],
    ['an amount that is no whole number', JSON.stringify({ transactions: [record({ amountMicroAlc: '1e9' })] })],
    ['an address that is none', JSON.stringify({ transactions: [record({ to: '<b>' })] })],
  ])('is refused when it is %s', async (_, body) => {
    respond = { status: 200, body };
    await expect(load()).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
  });

  it('passes on why the coordinator refuses', async () => {
    respond = { status: 429, body: JSON.stringify({ code: 'RATE_LIMITED', message: 'Try again in 5 s.' }) };
    await expect(load()).rejects.toMatchObject({ code: 'RATE_LIMITED', message: 'Try again in 5 s.' });
    respond = { status: 502, body: 'Bad gateway' };
    await expect(load()).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });

  it('says that nobody is there', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as AddressInfo;
    await new Promise((resolve) => gone.close(resolve));
    await expect(load(undefined, `http://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'UNREACHABLE' });
  });
});

describe('a line of the history', () => {
  it('shows rewards as income', () => {
    expect(lineOf(record(), ME)).toEqual({
      title: 'Answer reward',
      amount: '+0.05 ALC',
      isIncoming: true,
      state: 'Confirmed',
    });
  });

  it('tells sent from received', () => {
    const transfer = record({ type: 'transfer', from: ME, to: OTHER, state: 'pending' });
    expect(lineOf(transfer, ME)).toMatchObject({ title: 'Transfer sent', amount: '−0.05 ALC', state: 'Pending' });
    expect(lineOf(transfer, OTHER)).toMatchObject({ title: 'Transfer received', amount: '+0.05 ALC' });
  });
});
