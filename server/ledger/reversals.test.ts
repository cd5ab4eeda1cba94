import { expect, test } from 'vitest';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { TestLedger, wallets } from '../../shared/ledger/testing.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import { MAX_TIMER_MS, REVERSAL_RETRY_MS } from './limits.ts';
import { createReversals } from './reversals.ts';

/** A ledger with a disputed transfer. */
function disputed(reversalDelayMs = 10_000): TestLedger {
  const rules = (genesis: Genesis) => ({ ...genesis, transfer: { ...genesis.transfer, reversalDelayMs } });
  const ledger = new TestLedger(rules);
  ledger.pay();
  const transfer = ledger.transfer();
  ledger.place(transfer);
  ledger.report(wallets[2]!, transfer, [wallets[2]!]);
  return ledger;
}

function watching({ network, timeMs }: TestLedger) {
  const world = { nowMs: timeMs, tries: 0, fails: false, failures: [] as unknown[] };
  let timer: { run: () => void; delayMs: number } | undefined;
  const schedule: Schedule = (run, delayMs) => {
    const mine = { run, delayMs };
    timer = mine;
    return () => {
      if (timer === mine) timer = undefined;
    };
  };
  const reversals = createReversals({
    genesis: network.genesis,
    now: () => world.nowMs,
    schedule,
    async reverse() {
      world.tries++;
      if (world.fails) throw new Error('disk full');
    },
    onFailure: (error) => world.failures.push(error),
  });
  /** Lets the timer run out. */
  const ring = async () => {
    const { run } = timer!;
    timer = undefined;
    run();
    await new Promise(setImmediate);
  };
  return { world, reversals, ring, delay: () => timer?.delayMs };
}

test('rings when the first delay has passed, and not where nothing is disputed', () => {
  const calm = new TestLedger();
  const { reversals, delay, world } = watching(calm);
  reversals.watch(calm.state);
  expect(delay()).toBeUndefined();
  const { state } = disputed();
  reversals.watch(state);
  expect(delay()).toBe(10_000);
  world.nowMs += 9_000;
  reversals.watch(state);
  expect(delay()).toBe(1_000);
  world.nowMs += 9_000;
  reversals.watch(state);
  expect(delay()).toBe(0);
});

test('looks again when the clock was set back, or the ledger could not be written', async () => {
  const ledger = disputed();
  const { reversals, ring, delay, world } = watching(ledger);
  reversals.watch(ledger.state);
  world.nowMs -= 5_000;
  await ring();
  expect([world.tries, delay()]).toEqual([1, 15_000]);
  world.nowMs += 15_000;
  world.fails = true;
  await ring();
  expect([world.tries, delay(), world.failures.length]).toEqual([2, REVERSAL_RETRY_MS, 1]);
});

test('waits in pieces for what is due later than a timer can tell', () => {
  const ledger = disputed(3 * MAX_TIMER_MS);
  const { reversals, delay } = watching(ledger);
  reversals.watch(ledger.state);
  expect(delay()).toBe(MAX_TIMER_MS);
});

test('rings no more once it is closed', async () => {
  const ledger = disputed();
  const { reversals, delay, ring } = watching(ledger);
  reversals.watch(ledger.state);
  const late = ring();
  reversals.close();
  await late;
  reversals.watch(ledger.state);
  expect(delay()).toBeUndefined();
});
