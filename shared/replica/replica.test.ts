import { expect, test } from 'vitest';
import { wallets } from '../ledger/testing.ts';
import { openTestReplica, replicaCases, sameAs } from './cases.ts';
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
