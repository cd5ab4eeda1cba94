import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AiloError } from '../errors/index.ts';
import { applyEntry } from './apply.ts';
import { decodeEntry } from './entry.ts';
import { decodeAccount, decodeTotals, decodeTransfer, encodeAccount, encodeTotals, encodeTransfer } from './records.ts';
import { LedgerState } from './state.ts';
import { TestLedger, wallets } from './testing.ts';

/** What people and rooms might try, valid or not. */
const action = fc.oneof(
  fc.record({
    kind: fc.constant('pay' as const),
    requester: fc.nat(7),
    participants: fc.array(fc.nat(7), { minLength: 1, maxLength: 4 }),
    tokens: fc.nat(40),
    latencyMs: fc.nat(6000),
  }),
  fc.record({
    kind: fc.constant('transfer' as const),
    from: fc.nat(7),
    to: fc.nat(7),
    amountMicroAlc: fc.bigInt({ min: 0n, max: 120_000n }),
    feeMicroAlc: fc.constantFrom(10_000n, 10_000n, 10_000n, 9_999n),
    nonceOffset: fc.constantFrom(0, 0, 0, 1, -1),
  }),
  fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, 3_600_000, 86_400_000) }),
);
type Action = typeof action extends fc.Arbitrary<infer A> ? A : never;

function act(ledger: TestLedger, one: Action): void {
  if (one.kind === 'wait') {
    ledger.timeMs += one.ms;
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
    ledger.place(ledger.transfer({ to: to.publicKey, amountMicroAlc, feeMicroAlc, nonce: Math.max(0, nonce) }, from));
  }
}

/** The invariant, added up from the records and not from running sums. */
function assertSupply(state: LedgerState): void {
  const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = state.totals;
  let held = 0n;
  for (const { availableMicroAlc, pendingMicroAlc } of state.accounts()) {
    expect(availableMicroAlc).toBeGreaterThanOrEqual(0n);
    held += availableMicroAlc + pendingMicroAlc;
  }
  expect(held + treasuryMicroAlc + burnedMicroAlc).toBe(mintedMicroAlc);
  const pending = state.accounts().reduce((sum, { pendingMicroAlc }) => sum + pendingMicroAlc, 0n);
  expect(state.transfers().reduce((sum, { amountMicroAlc }) => sum + amountMicroAlc, 0n)).toBe(pending);
}

test('whatever happens, the supply is exact after every step, refusals change nothing, and a replay agrees', () => {
  const seen = { accepted: 0, refused: 0 };
  fc.assert(
    fc.property(fc.array(action, { maxLength: 12 }), (actions) => {
      const ledger = new TestLedger();
      for (const one of actions) {
        const before = ledger.state.hash();
        try {
          act(ledger, one);
          seen.accepted++;
        } catch (error) {
          expect(error).toBeInstanceOf(AiloError);
          expect(ledger.state.hash()).toEqual(before);
          seen.refused++;
        }
        assertSupply(ledger.state);
      }
      const replayed = LedgerState.empty(ledger.network.genesis);
      for (const entry of ledger.log) replayed.commit(applyEntry(ledger.network, replayed, decodeEntry(entry)));
      expect(replayed.hash()).toEqual(ledger.state.hash());
      expect(stored(ledger.state).hash()).toEqual(ledger.state.hash());
    }),
    { numRuns: 1000 },
  );
  // The generator must try both.
  expect(seen.accepted).toBeGreaterThan(1000);
  expect(seen.refused).toBeGreaterThan(1000);
}, 120_000);

/** The state after its records were put away and read back. */
function stored(state: LedgerState): LedgerState {
  return new LedgerState(
    decodeTotals(encodeTotals(state.totals)),
    state.accounts().map((account) => decodeAccount(encodeAccount(account))),
    state.transfers().map((transfer) => decodeTransfer(encodeTransfer(transfer))),
  );
}

test('a state that does not add up cannot be made', () => {
  const ledger = new TestLedger();
  ledger.pay();
  const broken = expect.objectContaining({ code: 'SUPPLY_BROKEN' });
  const accounts = ledger.state.accounts();
  expect(() => new LedgerState(ledger.state.totals, accounts.slice(1, 2))).toThrow(broken);
  const { totals } = ledger.state;
  expect(() => new LedgerState({ ...totals, burnedMicroAlc: 1n }, accounts)).toThrow(broken);
  const change = { accounts: [{ ...accounts[1]!, availableMicroAlc: 1n }], transfers: [], totals, due: [] };
  expect(() => ledger.state.commit(change)).toThrow(broken);
});

test('the state hash depends on every record and every total', () => {
  const ledger = new TestLedger();
  ledger.pay();
  ledger.place(ledger.transfer());
  const [totals, accounts, transfers] = [ledger.state.totals, ledger.state.accounts(), ledger.state.transfers()];
  const hashes = [
    new LedgerState(totals, accounts, transfers),
    new LedgerState({ ...totals, epochRatePpm: 1 }, accounts, transfers),
    new LedgerState({ ...totals, timeMs: 1 }, accounts, transfers),
    new LedgerState(totals, [accounts[1]!, accounts[0]!, ...accounts.slice(2)], transfers),
    new LedgerState(totals, [...accounts.slice(0, -1), { ...accounts.at(-1)!, nonce: 9 }], transfers),
    new LedgerState(totals, accounts, [{ ...transfers[0]!, confirmations: 1 }]),
    new LedgerState(totals, accounts, []),
  ].map((state) => state.hash().join());
  expect(new Set(hashes).size).toBe(hashes.length);
});
