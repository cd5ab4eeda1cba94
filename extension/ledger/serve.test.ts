import { MessageChannel } from 'node:worker_threads';
import { afterEach, expect, test } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import { wallets } from '../../shared/ledger/testing.ts';
import { codeOf, openTestReplica, sameAs, settled } from '../../shared/replica/cases.ts';
import { memoryStores } from '../../shared/replica/memory-store.ts';
import { SignedLedger, TestCoordinator } from '../../shared/replica/testing.ts';
import type { Port } from '../compute/rpc.ts';
import { replicaOverPort } from './client.ts';
import { serveReplica } from './serve.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** The page and the worker of the extension, both here, behind a real message channel. */
function connected(coordinator: TestCoordinator) {
  const { port1, port2 } = new MessageChannel();
  // Node's ports start by themselves only for `on('message')`.
  for (const port of [port1, port2]) port.start();
  closing.push(() => port1.close());
  const stores = memoryStores();
  serveReplica(port2 as unknown as Port, (options) =>
    openTestReplica({ stores: () => stores }, coordinator, { ...options, url: coordinator.url }),
  );
  const options = { url: coordinator.url, publicKey: wallets[1]!.publicKey };
  return replicaOverPort(port1 as unknown as Port, options, () => port1.close());
}

test('a replica behind a port says what one here says', async () => {
  const ledger = new SignedLedger().fill(4);
  ledger.register('ana', wallets[2]!);
  const coordinator = new TestCoordinator(ledger);
  const replica = await connected(coordinator).replica;
  expect(replica.network).toEqual(ledger.network);
  await replica.sync();
  await sameAs(replica, ledger);
  expect((await replica.ownerOf('ana'))?.publicKey).toEqual(wallets[2]!.publicKey);
  expect((await replica.history({ limit: 3 })).transactions).toHaveLength(3);
  const cosignable = await replica.cosignable(wallets[2]!.publicKey, ledger.timeMs);
  expect(cosignable).toMatchObject({ size: ledger.log.length });
  expect(cosignable?.transfers).toHaveLength(4);

  ledger.place(ledger.transfer());
  replica.follow(ledger.seal());
  coordinator.serve(ledger);
  await settled(replica, ({ state }) => state.size === ledger.log.length && state.status === 'verified');
  await replica.close();
  await expect(replica.totals()).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
});

test('whoever does not want to wait any more need not; errors keep their code', async () => {
  const coordinator = new TestCoordinator(new SignedLedger().fill(2));
  coordinator.interfere = (path) => (path === '/v1/checkpoint' ? new Promise(() => {}) : undefined);
  const replica = await connected(coordinator).replica;
  const stop = new AbortController();
  const syncing = replica.sync(stop.signal);
  stop.abort();
  expect(await codeOf(syncing)).toBe('CANCELLED');
  coordinator.interfere = () => Response.error();
  expect(await codeOf(connected(coordinator).replica)).toBe('LEDGER_UNREACHABLE');
});

test('when the worker is gone, nothing waits for it', async () => {
  const { replica, fail } = connected(new TestCoordinator(new SignedLedger().fill(2)));
  const opened = await replica;
  const asking = opened.sync();
  fail(AiloError.of('INTERNAL', {}));
  expect(await codeOf(asking)).toBe('INTERNAL');
  expect(await codeOf(opened.totals())).toBe('INTERNAL');
});
