/** Whatever wallets submit, valid or not: a client's replica, verifying from genesis, ends where the server is. */
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import { signCosignature } from '../../shared/ledger/cosignature.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { signRegistration } from '../../shared/ledger/registration.ts';
import { signReport } from '../../shared/ledger/report.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { memoryStores } from '../../shared/replica/memory-store.ts';
import { createReplica } from '../../shared/replica/replica.ts';
import type { Replica } from '../../shared/replica/types.ts';
import { inference, genesis as ordinary, wallets } from '../ledger/testing.ts';
import { fetchOf, openTestServer, type TestServer } from './testing.ts';

/** Few confirmations and no delay, so that short histories see all that can happen to a transfer. */
const genesis = { ...ordinary, transfer: { ...ordinary.transfer, confirmations: 2, reversalDelayMs: 0 } };
const network = networkOf(genesis);
const RUNS = Number(process.env.AILO_HISTORY_RUNS ?? 60);

const wallet = fc.integer({ min: 0, max: 5 });
const action = fc.oneof(
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('work' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      from: wallet,
      to: wallet,
      microAlc: fc.bigInt({ min: 0n, max: 60_000n }),
      nonceOffset: fc.constantFrom(0, 0, 0, 0, 1),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('cosign' as const), by: wallet }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      by: fc.shuffledSubarray([0, 1, 2, 3, 4]),
      which: fc.nat(2),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('register' as const), by: wallet, name: fc.constantFrom('ada', 'bob') }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 60_000, 86_400_000) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('sync' as const) }) },
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

/** What has happened so far, as somebody who submits needs to know it. */
interface World {
  server: TestServer;
  replica: Replica;
  works: number;
  transfers: Uint8Array[];
}

const joined = ({ bytes, signature }: { bytes: Uint8Array; signature: Uint8Array }) => concatBytes(bytes, signature);

async function act(world: World, one: Action): Promise<void> {
  const { server, replica } = world;
  const common = { networkId: network.id };
  switch (one.kind) {
    case 'work':
      world.works++;
      await server.ledger.mintInference(inference(world.works, { timeMs: server.nowMs }));
      return;
    case 'wait':
      server.nowMs += one.ms;
      return server.elapse();
    case 'sync':
      return replica.sync();
    case 'transfer': {
      await replica.sync();
      const [sender, recipient] = [wallets[one.from]!, wallets[one.to]!];
      const signed = signTransaction(sender, {
        ...common,
        type: 'transfer',
        from: sender.publicKey,
        to: recipient.publicKey,
        amountMicroAlc: one.microAlc,
        feeMicroAlc: 10_000n,
        nonce: ((await replica.account(sender.publicKey))?.nonce ?? 0) + 1 + one.nonceOffset,
        timeMs: server.nowMs,
        reference: ZERO_HASH,
        memo: '',
      });
      await server.ledger.submit('transfer', joined(signed));
      world.transfers.push(signed.hash);
      return;
    }
    case 'cosign': {
      await replica.sync();
      const { publicKey } = wallets[one.by]!;
      const covered = await replica.cosignable(publicKey, server.nowMs);
      if (!covered) return;
      const { size, root } = covered;
      const signed = signCosignature(wallets[one.by]!, { ...common, publicKey, size, root });
      await server.ledger.submit('cosignature', joined(signed));
      return;
    }
    case 'report': {
      const transfer = world.transfers[one.which];
      if (!transfer) return;
      for (const by of one.by) {
        const { publicKey } = wallets[by]!;
        const signed = signReport(wallets[by]!, { ...common, publicKey, transfer, reason: 'bad' });
        await server.ledger.submit('report', joined(signed));
      }
      return;
    }
    case 'register': {
      await replica.sync();
      const { publicKey } = wallets[one.by]!;
      const number = ((await replica.account(publicKey))?.registrations ?? 0) + 1;
      const signed = signRegistration(wallets[one.by]!, { ...common, publicKey, number, username: one.name });
      await server.ledger.submit('registration', joined(signed));
    }
  }
}

/** Transfers that wait for their reversal, after a while. */
async function disputed({ server, replica, transfers }: World): Promise<number> {
  server.nowMs += 1;
  server.elapse();
  await replica.sync();
  const all = await Promise.all(transfers.map((hash) => replica.transaction(hash)));
  return all.filter((known) => known?.transfer?.trouble === 'disputed').length;
}

test('a replica agrees with the server after every history', async () => {
  const seen = { confirmed: 0, reported: 0, disputed: 0, reversed: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(fc.array(action, { minLength: 4, maxLength: 24, size: 'max' }), async (actions) => {
      const server = await openTestServer(genesis);
      server.present = wallets.map(({ address }) => address);
      server.nowMs += 10 * 60_000;
      const replica = await createReplica({
        url: 'http://coordinator.test',
        fetch: fetchOf(server),
        stores: memoryStores(),
        publicKey: wallets[1]!.publicKey,
        now: () => server.nowMs,
        schedule: systemSchedule,
        random: () => 0,
        log: pino({ level: 'silent' }),
      });
      const world: World = { server, replica, works: 0, transfers: [] };
      for (let i = 0; i < 3; i++) await act(world, { kind: 'work' });
      for (const one of actions) {
        await act(world, one).catch((error) => {
          if (!(error instanceof AiloError)) throw error;
          seen.refused++;
        });
      }
      // What is disputed is reversed by a timer.
      await expect.poll(() => disputed(world), { timeout: 10_000 }).toBe(0);
      expect(replica.state.status).toBe('verified');
      expect(replica.state.size).toBe((await server.ledger.checkpoint()).checkpoint.size);
      for (const { publicKey, address } of wallets) {
        const [here, there] = [await replica.account(publicKey), await server.ledger.account(address)];
        expect(there.availableMicroAlc).toBe(String(here?.availableMicroAlc ?? 0n));
        expect(there.pendingMicroAlc).toBe(String(here?.pendingMicroAlc ?? 0n));
        expect((await server.ledger.usernameOf(address)) ?? '').toBe(here?.username ?? '');
      }
      for (const hash of world.transfers) {
        const { transfer } = (await replica.transaction(hash))!;
        if (transfer!.confirmed) seen.confirmed++;
        if (transfer!.trouble !== 'none') seen[transfer!.trouble]++;
      }
      await replica.close();
      await server.close();
    }),
    { numRuns: RUNS },
  );
  // The generator must try everything.
  for (const kind of ['confirmed', 'reported', 'reversed', 'refused'] as const)
    expect(seen[kind], kind).toBeGreaterThan(0);
}, 600_000);
