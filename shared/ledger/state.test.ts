import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AiloError } from '../errors/index.ts';
import { applyEntry } from './apply.ts';
import { decodeEntry } from './entry.ts';
import {
  decodeAccount,
  decodeDispute,
  decodeTotals,
  decodeTransfer,
  encodeAccount,
  encodeDispute,
  encodeTotals,
  encodeTransfer,
} from './records.ts';
import { LedgerState } from './state.ts';
import { PlainLog, TestLedger, wallets } from './testing.ts';
import type { SignedTransaction } from './transaction.ts';

/** Few confirmations and no delay, so that short histories see all that can happen to a transfer. */
const CONFIRMATIONS = 2;
const quick = () =>
  new TestLedger((genesis) => ({
    ...genesis,
    transfer: { ...genesis.transfer, confirmations: CONFIRMATIONS, reversalDelayMs: 0 },
  }));

const voter = fc.integer({ min: 0, max: 4 });

/** What people and rooms might try, valid or not. */
const action = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      requester: fc.nat(7),
      participants: fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }),
      tokens: fc.nat(40),
      latencyMs: fc.nat(6000),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('transfer' as const),
      from: fc.nat(7),
      to: fc.nat(7),
      amountMicroAlc: fc.bigInt({ min: 0n, max: 60_000n }),
      feeMicroAlc: fc.constantFrom(10_000n, 10_000n, 10_000n, 9_999n),
      nonceOffset: fc.constantFrom(0, 0, 0, 0, 0, 1, -1),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('cosign' as const),
      wallet: voter,
      behind: fc.constantFrom(0, 0, 0, 1, 3),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('report' as const),
      wallet: voter,
      which: fc.nat(2),
      active: fc.subarray([1, 2, 3, 4], { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('reverse' as const), which: fc.nat(2) }) },
  fc.record({ kind: fc.constant('register' as const), wallet: fc.nat(7), name: fc.constantFrom('ada', 'bob', 'x') }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 1, 1, 3_600_000, 86_400_000) }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function act(ledger: TestLedger, one: Action, transfers: SignedTransaction[]): void {
  const chosen = 'which' in one ? transfers[one.which % transfers.length] : undefined;
  if (one.kind === 'wait') {
    ledger.timeMs += one.ms;
  } else if (one.kind === 'cosign') {
    ledger.cosign(wallets[one.wallet]!, { size: Math.max(0, ledger.view.size - one.behind) });
  } else if (one.kind === 'report') {
    if (chosen) ledger.report(wallets[one.wallet]!, chosen, activeFor(ledger, chosen, one.active));
  } else if (one.kind === 'reverse') {
    if (chosen) ledger.reverse(chosen);
  } else if (one.kind === 'register') {
    ledger.register(one.name, wallets[one.wallet]!);
  } else if (one.kind === 'pay') {
    const participants = one.participants.map((i, at) => ({
      publicKey: wallets[i]!.publicKey,
      start: at,
      end: at + 1,
    }));
    ledger.pay({ ...one, requester: wallets[one.requester]!.publicKey, participants });
  } else {
    const [from, to] = [wallets[one.from]!, wallets[one.to]!];
    const nonce = (ledger.state.account(from.publicKey)?.nonce ?? 0) + 1 + one.nonceOffset;
    const { amountMicroAlc, feeMicroAlc } = one;
    const change = { to: to.publicKey, amountMicroAlc, feeMicroAlc, nonce: Math.max(0, nonce) };
    const transfer = ledger.transfer(change, from);
    ledger.place(transfer);
    transfers.push(transfer);
  }
}

/** The wallets named, of those that have worked; nobody once the dispute is open. */
function activeFor({ state }: TestLedger, transfer: SignedTransaction, named: number[]) {
  if (state.dispute(transfer.hash)) return [];
  return named.map((i) => wallets[i]!).filter(({ publicKey }) => (state.account(publicKey)?.lastWorkMs ?? 0) > 0);
}

/** The invariant, added up from the records and not from running sums. */
function assertSupply(state: LedgerState): void {
  const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = state.totals;
  const { accounts, transfers } = state.records();
  let held = 0n;
  for (const { publicKey, availableMicroAlc, pendingMicroAlc } of accounts) {
    // Below zero only who spent what was taken back from him.
    const taken = transfers.some(({ to, trouble }) => to === publicKey && trouble !== 'none' && trouble !== 'reported');
    if (!taken) expect(availableMicroAlc).toBeGreaterThanOrEqual(0n);
    held += availableMicroAlc + pendingMicroAlc;
  }
  expect(held + treasuryMicroAlc + burnedMicroAlc).toBe(mintedMicroAlc);
  const waiting = transfers.filter(({ confirmed, trouble }) =>
    trouble === 'none' || trouble === 'reported' ? !confirmed : trouble === 'disputed',
  );
  const pending = accounts.reduce((sum, { pendingMicroAlc }) => sum + pendingMicroAlc, 0n);
  expect(waiting.reduce((sum, { amountMicroAlc }) => sum + amountMicroAlc, 0n)).toBe(pending);
  for (const { verifiers, confirmed, from, to } of transfers) {
    expect(new Set(verifiers).size).toBe(verifiers.length);
    expect(verifiers.length >= CONFIRMATIONS).toBe(confirmed);
    for (const place of verifiers) expect([from, to]).not.toContain(accounts[place]!.publicKey);
  }
}

test('whatever happens, the supply is exact after every step, refusals change nothing, and a replay agrees', () => {
  const seen = { accepted: 0, refused: 0, confirmed: 0, reported: 0, disputed: 0, reversed: 0 };
  fc.assert(
    fc.property(fc.array(action, { minLength: 4, maxLength: 40, size: 'max' }), (actions) => {
      const ledger = quick();
      const made: SignedTransaction[] = [];
      // Wallets 1 to 6 begin with something to spend and a vote.
      const participants = [1, 2, 3, 4, 5, 6].map((i) => ({ publicKey: wallets[i]!.publicKey, start: i, end: i + 1 }));
      for (let i = 0; i < 3; i++) ledger.pay({ participants });
      for (const one of actions) {
        const before = ledger.state.hash();
        try {
          act(ledger, one, made);
          seen.accepted++;
        } catch (error) {
          expect(error).toBeInstanceOf(AiloError);
          expect(ledger.state.hash()).toEqual(before);
          seen.refused++;
        }
        assertSupply(ledger.state);
      }
      const { transfers } = ledger.state.records();
      for (const { confirmed, trouble } of transfers) {
        if (confirmed) seen.confirmed++;
        if (trouble !== 'none') seen[trouble]++;
      }
      const disputed = transfers.filter(({ trouble }) => trouble === 'disputed').map(({ hash }) => hash.join());
      for (const state of [ledger.state, stored(ledger.state)]) {
        expect([...state.disputed()].map(({ transfer }) => transfer.join()).sort()).toEqual(disputed.sort());
      }
      const replayed = LedgerState.empty(ledger.network.genesis);
      const view = new PlainLog();
      for (const entry of ledger.log) {
        replayed.commit(applyEntry(ledger.network, replayed, view, decodeEntry(entry)));
        view.append(entry);
      }
      expect(replayed.hash()).toEqual(ledger.state.hash());
      expect(stored(ledger.state).hash()).toEqual(ledger.state.hash());
    }),
    { numRuns: 1000 },
  );
  // The generator must try everything.
  expect(seen.accepted).toBeGreaterThan(1000);
  expect(seen.refused).toBeGreaterThan(1000);
  for (const kind of ['confirmed', 'reported', 'disputed', 'reversed'] as const) {
    expect(seen[kind], kind).toBeGreaterThan(50);
  }
}, 120_000);

/** The state after its records were put away and read back. */
function stored(state: LedgerState): LedgerState {
  const { totals, accounts, transfers, disputes } = state.records();
  return new LedgerState({
    totals: decodeTotals(encodeTotals(totals)),
    accounts: accounts.map((account) => decodeAccount(encodeAccount(account))),
    transfers: transfers.map((transfer) => decodeTransfer(encodeTransfer(transfer))),
    disputes: disputes.map((dispute) => decodeDispute(encodeDispute(dispute))),
  });
}

test('a state that does not add up cannot be made', () => {
  const ledger = new TestLedger();
  ledger.pay();
  const broken = expect.objectContaining({ code: 'SUPPLY_BROKEN' });
  const { totals, accounts } = ledger.state.records();
  expect(() => new LedgerState({ totals, accounts: accounts.slice(1, 2) })).toThrow(broken);
  expect(() => new LedgerState({ totals: { ...totals, burnedMicroAlc: 1n }, accounts })).toThrow(broken);
  const change = { accounts: [{ ...accounts[1]!, availableMicroAlc: 1n }], totals };
  expect(() => ledger.state.commit(change)).toThrow(broken);
});

test('the state hash depends on every record and every total', () => {
  const ledger = new TestLedger();
  ledger.pay();
  ledger.place(ledger.transfer());
  const records = ledger.state.records();
  const { totals, accounts, transfers } = records;
  const dispute = { transfer: transfers[0]!.hash, activeSet: [1], reporters: [1], reports: [9], disputedMs: 0 };
  const hashes = [
    {},
    { totals: { ...totals, epochRatePpm: 1 } },
    { totals: { ...totals, timeMs: 1 } },
    { accounts: [accounts[1]!, accounts[0]!, ...accounts.slice(2)] },
    { accounts: [...accounts.slice(0, -1), { ...accounts.at(-1)!, nonce: 9 }] },
    { accounts: [...accounts.slice(0, -1), { ...accounts.at(-1)!, username: 'ada' }] },
    { transfers: [{ ...transfers[0]!, verifiers: [1] }] },
    { transfers: [{ ...transfers[0]!, trouble: 'reported' as const }] },
    { transfers: [] },
    { disputes: [dispute] },
    { disputes: [{ ...dispute, disputedMs: 1 }] },
  ].map((change) => new LedgerState({ ...records, ...change }).hash().join());
  expect(new Set(hashes).size).toBe(hashes.length);
});
