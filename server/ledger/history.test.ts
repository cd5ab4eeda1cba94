import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Batch } from '../../shared/ledger/batch.ts';
import { signatureIn } from '../../shared/ledger/entry.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { verify } from '../../shared/wallet/public-key.ts';
import { openDatabase } from '../store/database.ts';
import type { CommitPoint } from './committer.ts';
import { openLedger } from './ledger.ts';
import { genesis, inference, networkKey, START_MS, wallets } from './testing.ts';
import type { Ledger } from './types.ts';

const POINTS: CommitPoint[] = ['begun', 'staged', 'signed', 'swapped', 'published'];
const network = networkOf(genesis);

const step = fc.record({
  /** Jobs that are paid at the same time; a few numbers, so that many come again. */
  jobs: fc.array(fc.nat(11), { minLength: 1, maxLength: 4 }),
  /** Where the coordinator dies on the way. */
  crash: fc.option(fc.constantFrom(...POINTS), { freq: 1 }),
});

/** The whole log, replayed as a stranger would. */
async function replay(ledger: Ledger): Promise<{ state: LedgerState; size: number }> {
  const { checkpoint } = await ledger.checkpoint();
  const state = LedgerState.empty(genesis);
  const log = new LogTree();
  const batch = new Batch(network, { state, log });
  while (log.size < checkpoint.size) {
    for (const bytes of await ledger.entries(log.size, checkpoint.size)) {
      const signed = signatureIn(batch.add(bytes).entry);
      if (signed) expect(verify(signed.signature, signed.message, signed.publicKey)).toBe(true);
    }
  }
  expect(log.root()).toEqual(checkpoint.root);
  expect(state.hash()).toEqual(checkpoint.stateHash);
  return { state, size: log.size };
}

test('through duplicates and crashes each job is paid once, and a replay of the log agrees with what wallets are shown', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 6 }), async (steps) => {
      const database = await openDatabase(':memory:');
      const open = (stall?: (point: CommitPoint) => void | Promise<void>) =>
        openLedger({ database, networkKey, genesis, now: () => START_MS, ...(stall && { stall }) });
      const acknowledged = new Set<number>();
      for (const { jobs, crash } of steps) {
        let died = () => {};
        const death = new Promise<void>((resolve) => {
          died = resolve;
        });
        const ledger = await open((point) => {
          if (point !== crash) return;
          died();
          return new Promise<void>(() => {});
        });
        const paying = Promise.all(
          jobs.map((job) => ledger.mintInference(inference(job)).then(() => acknowledged.add(job))),
        );
        await Promise.race([paying, death]);
      }
      const last = await open();
      expect((await replay(last)).size).toBeGreaterThanOrEqual(5 * acknowledged.size);
      const tried = new Set(steps.flatMap(({ jobs }) => jobs));
      for (const job of tried) await last.mintInference(inference(job));
      const { state, size } = await replay(last);
      expect(size).toBe(5 * tried.size);
      for (const i of [1, 2, 3, 4]) {
        const shown = await last.account(wallets[i]!.address);
        expect(shown.availableMicroAlc).toBe(String(state.account(wallets[i]!.publicKey)!.availableMicroAlc));
        expect(shown).toMatchObject({ earnedTotalMicroAlc: String(50_000 * tried.size), transactions: tried.size });
      }
      await database.destroy();
    }),
    { numRuns: 40 },
  );
}, 120_000);
