/** A wallet over its replica, before a real ledger: what it sends arrives once, whatever becomes of the answers. */
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createLedgerClient, type LedgerClient } from '../../shared/replica/ledger-client.ts';
import { memoryStores } from '../../shared/replica/memory-store.ts';
import { createReplica } from '../../shared/replica/replica.ts';
import type { WalletService } from '../../shared/replica/wallet-types.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';
import { inference, START_MS, wallets } from '../ledger/testing.ts';
import { fetchOf, openTestServer, type TestServer } from './testing.ts';

const URL_OF_SERVER = 'http://coordinator.test';
const log = pino({ level: 'silent' });
const [asker, ada, bo, chi, dee] = wallets as [Wallet, Wallet, Wallet, Wallet, Wallet];

let server: TestServer;
const clients: LedgerClient[] = [];
/** Answers to submissions that get lost on the way back. */
let answersToLose: number;
/** Requests that do not even arrive. */
let isDown: boolean;
let isDownAfterSubmission: boolean;

beforeEach(async () => {
  server = await openTestServer();
  answersToLose = 0;
  isDown = false;
  isDownAfterSubmission = false;
  await server.ledger.mintInference(inference(1));
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await server.close();
});

const fetchFromServer: typeof fetch = async (input, init) => {
  if (isDown) throw new TypeError('fetch failed');
  const isSubmission = init?.method === 'POST';
  const answer = await fetchOf(server)(input, init);
  if (isSubmission && isDownAfterSubmission) isDown = true;
  if (isSubmission && answersToLose > 0) {
    answersToLose--;
    throw new TypeError('fetch failed');
  }
  return answer;
};

/** The wallet's client, verified up to now. */
async function client(wallet: Wallet, username?: string): Promise<LedgerClient & { service: WalletService }> {
  const made = createLedgerClient({
    openReplica: () =>
      createReplica({
        url: URL_OF_SERVER,
        fetch: fetchFromServer,
        stores: memoryStores(),
        publicKey: wallet.publicKey,
        now: () => START_MS,
        schedule: soon,
        random: () => 0.5,
        log,
      }),
    wallet,
    url: URL_OF_SERVER,
    fetch: fetchFromServer,
    ...(username !== undefined && { username }),
    schedule: soon,
    now: () => server.nowMs,
    random: () => 0.5,
    log,
  });
  clients.push(made);
  await expect.poll(() => made.state.replica?.status).toBe('verified');
  return made as LedgerClient & { service: WalletService };
}

/** Pauses are not what is tested. */
function soon(run: () => void): () => void {
  const timer = setTimeout(run, 1);
  return () => clearTimeout(timer);
}

const balance = async (wallet: Wallet) => (await server.ledger.account(wallet.address)).availableMicroAlc;
const toChi = { to: chi.address, amountMicroAlc: '10000', memo: 'thanks' };

describe('a transfer', () => {
  test('is sealed, and shown as the sender’s own replica verified it', async () => {
    const { service } = await client(ada);
    const { hash } = await service.send(toChi);
    expect(await service.transaction(hash)).toMatchObject({
      type: 'transfer',
      from: ada.address,
      to: chi.address,
      amountMicroAlc: '10000',
      feeMicroAlc: '10000',
      memo: 'thanks',
      state: 'pending',
      confirmations: 0,
    });
    expect(await service.account()).toMatchObject({ availableMicroAlc: '30000' });
    expect((await service.history({ limit: 1 })).transactions).toMatchObject([{ hash }]);
  });

  test('whose answer is lost is sent once', async () => {
    const { service } = await client(ada);
    answersToLose = 3;
    await service.send(toChi);
    expect(await balance(ada)).toBe('30000');
  });

  test('whose every answer is lost is not sent again when the person tries again', async () => {
    const { service } = await client(ada);
    answersToLose = Number.POSITIVE_INFINITY;
    await expect(service.send(toChi)).rejects.toMatchObject({ code: 'UNREACHABLE' });
    answersToLose = 0;
    await service.send(toChi);
    expect(await balance(ada)).toBe('30000');
    // Another wish is another transfer.
    await service.send({ ...toChi, memo: 'again' });
    expect(await balance(ada)).toBe('10000');
  });

  test('is sent, even if the connection ends before it can be seen', async () => {
    const { service } = await client(ada);
    isDownAfterSubmission = true;
    await service.send(toChi);
    isDown = false;
    expect(await balance(ada)).toBe('30000');
  });

  test('of two at once each has its number', async () => {
    const { service } = await client(ada);
    await Promise.all([service.send(toChi), service.send({ ...toChi, memo: 'and more' })]);
    expect(await balance(ada)).toBe('10000');
  });

  test.each([
    [{ ...toChi, to: ada.address }, 'TRANSFER_TO_SELF'],
    [{ ...toChi, to: 'alc1nobody' }, 'ADDRESS_INVALID'],
    [{ ...toChi, amountMicroAlc: '0' }, 'AMOUNT_ZERO'],
    [{ ...toChi, amountMicroAlc: '40001' }, 'BALANCE_INSUFFICIENT'],
    [{ ...toChi, memo: 'x'.repeat(65) }, 'TRANSACTION_INVALID'],
  ])('%o is refused before it is sent', async (transfer, code) => {
    const { service } = await client(ada);
    const { size } = (await server.ledger.checkpoint()).checkpoint;
    await expect(service.send(transfer)).rejects.toMatchObject({ code });
    expect((await server.ledger.checkpoint()).checkpoint.size).toBe(size);
  });

  test('is not begun while the coordinator cannot be reached', async () => {
    const { service } = await client(ada);
    isDown = true;
    await expect(service.send(toChi)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
    isDown = false;
    await service.send(toChi);
    expect(await balance(ada)).toBe('30000');
  });
});

test('everybody who worked verifies by himself, and opening a transfer verifies it at once', async () => {
  const { service } = await client(ada);
  const { hash } = await service.send(toChi);
  const dees = await client(dee);
  // By following alone.
  const verifiers = async () => {
    await dees.replica!.sync();
    return (await dees.service.transaction(hash))?.verifiers;
  };
  await expect.poll(verifiers).toEqual([dee.address]);
  const { service: bos } = await client(bo);
  expect(await bos.verify(hash)).toBe(true);
  // Neither the parties nor somebody without work.
  expect(await service.verify(hash)).toBe(false);
  expect(await (await client(asker)).service.verify(hash)).toBe(false);
  expect((await bos.transaction(hash))?.verifiers.sort()).toEqual([bo.address, dee.address].sort());
});

test('a report is public with its reason', async () => {
  server.present = [ada, bo, chi, dee].map(({ address }) => address);
  server.nowMs += 10 * 60_000;
  const { service } = await client(ada);
  const { hash } = await service.send(toChi);
  await (await client(dee)).service.report(hash, '  not mine ');
  await expect.poll(async () => (await service.transaction(hash))?.state).toBe('pending');
  await service.verify(hash);
  expect(await service.transaction(hash)).toMatchObject({
    state: 'reported',
    dispute: { activeNodes: 4, needed: 3, reports: [{ address: dee.address, reason: 'not mine' }] },
  });
});

describe('a username', () => {
  test('is taken as soon as the ledger is verified, and leads to its wallet', async () => {
    const adas = await client(ada, 'ada');
    await expect.poll(() => adas.state.account?.username).toBe('ada');
    const { service } = await client(bo);
    for (const to of ['ada', '@ada', ' @Ada ', ada.address]) {
      expect(await service.resolve(to)).toEqual({ address: ada.address, username: 'ada' });
    }
    expect(await service.resolve(chi.address)).toEqual({ address: chi.address });
    await expect(service.resolve('grace')).rejects.toMatchObject({ code: 'USERNAME_UNKNOWN' });
    await expect(service.resolve('alc1qqqq')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' });
  });

  test('that somebody has is refused beside what else works', async () => {
    const adas = await client(ada, 'ada');
    await expect.poll(() => adas.state.account?.username).toBe('ada');
    const bos = await client(bo, 'ada');
    await expect.poll(() => bos.state.usernameError?.code).toBe('USERNAME_TAKEN');
    await bos.service.register('bob');
    expect(await bos.service.account()).toMatchObject({ username: 'bob' });
  });
});

test('a ledger that cannot be reached is tried again', async () => {
  isDown = true;
  const made = client(ada);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(clients[0]!.state.error?.code).toBe('LEDGER_UNREACHABLE');
  expect(clients[0]!.service).toBeUndefined();
  isDown = false;
  expect((await made).state.error).toBeUndefined();
});
