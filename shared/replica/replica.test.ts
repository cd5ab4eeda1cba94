import { expect, test } from 'vitest';
import { wallets } from '../ledger/testing.ts';
import { encodeTile } from '../ledger/tile.ts';
import { codeOf, openTestReplica, replicaCases, sameAs, settled } from './cases.ts';
import { memoryStores } from './memory-store.ts';
import { SignedLedger, TestCoordinator } from './testing.ts';

test.each(replicaCases)('$name', async ({ run }) => {
  const stores = memoryStores();
  await run({ stores: () => stores });
});

test.each(['head/0', 'account/0', 'transfer/0', 'tile/1', 'hash/0', 'history/0'])(
  'what is damaged in %s is noticed, and replayed anew',
  async (row) => {
    const ledger = new SignedLedger().fill(160);
    const coordinator = new TestCoordinator(ledger);
    const stores = memoryStores();
    const first = await openTestReplica({ stores: () => stores }, coordinator);
    await first.sync();
    await first.close();
    const [rows] = stores.rows.values();
    const { part, index, bytes } = rows!.get(row)!;
    rows!.set(row, { part, index, bytes: bytes.slice(0, -1) });

    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (_: object, message: string) => void warnings.push(message) };
    const again = await openTestReplica({ stores: () => stores }, coordinator, { log });
    await again.sync();
    await sameAs(again, ledger);
    expect((await again.history({ limit: 1 })).transactions[0]?.signed.transaction.from).toEqual(wallets[1]!.publicKey);
    expect(warnings).toEqual(['the stored ledger cannot be used and is replayed anew']);
    await again.close();
  },
);

test('the disk’s mistake is not taken for a rewritten log', async () => {
  const ledger = new SignedLedger().fill(240);
  const coordinator = new TestCoordinator(ledger);
  const stores = memoryStores();
  const replica = await openTestReplica({ stores: () => stores }, coordinator);
  await replica.sync();
  const [rows] = stores.rows.values();
  rows!.get('tile/0')!.bytes[100]! ^= 1;

  // No proof, and a tile that breaks on its way: all that remains is to compare entry by entry.
  ledger.place(ledger.transfer());
  coordinator.serve(ledger);
  const spoilt = [encodeTile(Array.from({ length: 89 }, () => ledger.log[0]!))];
  coordinator.interfere = (path) => {
    if (path.startsWith('/v1/proofs')) return new Response('', { status: 404 });
    const tile = path.startsWith('/v1/tiles/2') ? spoilt.pop() : undefined;
    return tile && new Response(tile as Uint8Array<ArrayBuffer>);
  };
  expect(ledger.log).toHaveLength(2 * 256 + 89);
  expect(await codeOf(replica.sync())).toBe('LEDGER_CORRUPT');
  await settled(replica, ({ state }) => state.status === 'verified');
  await sameAs(replica, ledger);
  await replica.close();
});
