/** Cosignatures that confirm, reports that dispute, and the reversal that follows. */
import { beforeEach, describe, expect, test } from 'vitest';
import { networkKey, START_MS, TestLedger, wallets } from './testing.ts';
import type { SignedTransaction } from './transaction.ts';

const DAY_MS = 86_400_000;
/** Everybody but the requester of the answers, wallet 0, has worked. */
const workers = wallets.slice(1, 13);
const [sender, recipient] = [wallets[1]!, wallets[2]!];
const verifiers = wallets.slice(3, 13);

let ledger: TestLedger;
let transfer: SignedTransaction;
beforeEach(() => {
  ledger = new TestLedger();
  work();
  transfer = ledger.transfer({ to: recipient.publicKey });
  ledger.place(transfer);
});

/** All workers took part in one answer. */
function work(): void {
  ledger.pay({ participants: workers.map(({ publicKey }, i) => ({ publicKey, start: i, end: i + 1 })) });
}

const account = ({ publicKey }: { publicKey: Uint8Array }) => ledger.state.account(publicKey)!;
const standing = () => ledger.state.transfer(transfer.hash)!;
const places = (some: typeof wallets) => some.map(({ publicKey }) => ledger.state.placeOf(publicKey)!);

function broken(attempt: () => void): string {
  const before = ledger.state.hash();
  try {
    attempt();
  } catch (error) {
    expect(ledger.state.hash()).toEqual(before);
    return (error as { code: string }).code;
  }
  return 'none';
}

describe('a transfer is verified', () => {
  test('by each wallet once, and confirmed by the tenth', () => {
    for (const [i, wallet] of verifiers.entries()) {
      expect(standing().verifiers).toEqual(places(verifiers.slice(0, i)));
      expect(account(recipient)).toMatchObject({ availableMicroAlc: 50_000n, pendingMicroAlc: 10_000n });
      ledger.cosign(wallet);
      expect(broken(() => ledger.cosign(wallet))).toBe('COSIGNATURE_EMPTY');
    }
    expect(standing()).toMatchObject({ confirmed: true, verifiers: places(verifiers) });
    expect(account(recipient)).toMatchObject({ availableMicroAlc: 60_000n, pendingMicroAlc: 0n });
    ledger.place(ledger.transfer({ amountMicroAlc: 50_000n, to: sender.publicKey }, recipient));
  });

  test('not by its parties, nor by who never worked or not for long', () => {
    expect(broken(() => ledger.cosign(sender))).toBe('COSIGNATURE_EMPTY');
    expect(broken(() => ledger.cosign(recipient))).toBe('COSIGNATURE_EMPTY');
    expect(broken(() => ledger.cosign(wallets[0]!))).toBe('NOT_ELIGIBLE');
    expect(broken(() => ledger.cosign(wallets[13]!))).toBe('NOT_ELIGIBLE');
    ledger.timeMs += 7 * DAY_MS;
    ledger.cosign(verifiers[0]!);
    ledger.timeMs += 1;
    expect(broken(() => ledger.cosign(verifiers[1]!))).toBe('NOT_ELIGIBLE');
    work();
    ledger.cosign(verifiers[1]!);
    expect(standing().verifiers).toHaveLength(2);
  });

  test('only as far as the cosignature covers', () => {
    expect(broken(() => ledger.cosign(verifiers[0]!, { size: ledger.view.size - 1 }))).toBe('COSIGNATURE_EMPTY');
    ledger.cosign(verifiers[0]!);
    const second = ledger.transfer({ to: recipient.publicKey });
    ledger.place(second);
    ledger.cosign(verifiers[0]!);
    expect(ledger.state.transfer(second.hash)!.verifiers).toEqual(places(verifiers.slice(0, 1)));
    expect(standing().verifiers).toEqual(places(verifiers.slice(0, 1)));
  });

  test('by nobody who saw another history, one that is not there yet, or another network', () => {
    const [wallet] = verifiers;
    expect(broken(() => ledger.cosign(wallet!, { root: new Uint8Array(32) }))).toBe('COSIGNATURE_ROOT_WRONG');
    expect(broken(() => ledger.cosign(wallet!, { size: ledger.view.size + 1 }))).toBe('COSIGNATURE_AHEAD');
    expect(broken(() => ledger.cosign(wallet!, { networkId: new Uint8Array(32) }))).toBe('NETWORK_MISMATCH');
    ledger.view.rootAt = () => undefined;
    expect(broken(() => ledger.cosign(wallet!))).toBe('COSIGNATURE_TOO_OLD');
  });

  test('nothing comes between a receipt and its rewards', () => {
    const { state } = ledger;
    const due = [
      { type: 'inference-reward' as const, to: sender.publicKey, amountMicroAlc: 1n, reference: new Uint8Array(32) },
    ];
    state.commit({ totals: state.totals, due });
    for (const attempt of [
      () => ledger.cosign(verifiers[0]!),
      () => ledger.report(verifiers[0]!, transfer, workers),
      () => ledger.register('ada', sender),
      () => ledger.reverse(transfer),
    ]) {
      expect(broken(attempt)).toBe('REWARD_MISSING');
    }
  });
});

describe('a transfer is reported', () => {
  test('and disputed by 51 % of the nodes that were active at the first report', () => {
    // 12 are active: 6 are half of them, 7 are more than 51 %.
    for (const wallet of workers.slice(0, 6)) {
      ledger.report(wallet, transfer, wallet === workers[0] ? workers : []);
      expect(standing().trouble).toBe('reported');
    }
    ledger.report(workers[6]!, transfer);
    expect(standing().trouble).toBe('disputed');
    expect(ledger.state.dispute(transfer.hash)).toMatchObject({
      activeSet: places(workers),
      reporters: places(workers.slice(0, 7)),
      disputedMs: START_MS,
    });
    expect(broken(() => ledger.report(workers[7]!, transfer))).toBe('REPORT_SETTLED');
  });

  test('and reversed: the sender has it back but for the fee, and nobody can spend it in between', () => {
    dispute();
    expect(broken(() => ledger.reverse(transfer))).toBe('REVERSAL_EARLY');
    expect(account(recipient)).toMatchObject({ availableMicroAlc: 50_000n, pendingMicroAlc: 10_000n });
    for (const wallet of verifiers) expect(broken(() => ledger.cosign(wallet))).toBe('COSIGNATURE_EMPTY');
    ledger.timeMs += 10_000;
    const wrong = [
      { to: recipient.publicKey },
      { amountMicroAlc: 10_001n },
      { feeMicroAlc: 1n },
      { memo: 'sorry' },
      { timeMs: START_MS },
    ];
    for (const change of wrong) expect(broken(() => ledger.reverse(transfer, change))).toBe('REVERSAL_WRONG');
    expect(broken(() => ledger.reverse(transfer, { nonce: 1 }))).toBe('NONCE_WRONG');
    expect(broken(() => ledger.reverse(transfer, { from: sender.publicKey }))).toBe('NOT_FROM_NETWORK');
    expect(broken(() => ledger.reverse(transfer, { reference: new Uint8Array(32) }))).toBe('REVERSAL_UNFOUNDED');
    ledger.reverse(transfer);
    expect(standing().trouble).toBe('reversed');
    expect(account(sender)).toMatchObject({ availableMicroAlc: 40_000n });
    expect(account(recipient)).toMatchObject({ availableMicroAlc: 50_000n, pendingMicroAlc: 0n });
    expect(ledger.state.totals).toMatchObject({ burnedMicroAlc: 5_000n, treasuryMicroAlc: 5_000n });
    expect(broken(() => ledger.reverse(transfer))).toBe('REVERSAL_UNFOUNDED');
  });

  test('when it was confirmed and spent: the balance is negative until something is earned', () => {
    for (const wallet of verifiers) ledger.cosign(wallet);
    ledger.place(ledger.transfer({ amountMicroAlc: 45_000n, to: wallets[13]!.publicKey }, recipient));
    expect(account(recipient).availableMicroAlc).toBe(5_000n);
    dispute();
    expect(account(recipient)).toMatchObject({ availableMicroAlc: -5_000n, pendingMicroAlc: 10_000n });
    ledger.timeMs += 10_000;
    ledger.reverse(transfer);
    expect(account(recipient)).toMatchObject({ availableMicroAlc: -5_000n, pendingMicroAlc: 0n });
    expect(broken(() => ledger.place(ledger.transfer({ amountMicroAlc: 1n }, recipient)))).toBe('BALANCE_INSUFFICIENT');
    work();
    expect(account(recipient).availableMicroAlc).toBe(45_000n);
  });

  test('by one node, which keeps nobody from confirming it, but its own verification does not count', () => {
    ledger.report(verifiers[0]!, transfer, workers);
    expect(broken(() => ledger.cosign(verifiers[0]!))).toBe('COSIGNATURE_EMPTY');
    for (const wallet of verifiers.slice(1)) ledger.cosign(wallet);
    expect(standing()).toMatchObject({ trouble: 'reported', confirmed: false });
    expect(standing().verifiers).toHaveLength(9);
    work();
    ledger.pay({
      requester: recipient.publicKey,
      participants: [{ publicKey: wallets[13]!.publicKey, start: 0, end: 1 }],
    });
    ledger.cosign(wallets[13]!);
    expect(standing()).toMatchObject({ trouble: 'reported', confirmed: true });
    expect(account(recipient).pendingMicroAlc).toBe(0n);
  });

  test('only by who was active then, once, in time, and only if it is a transfer', () => {
    const [first, second] = workers;
    expect(broken(() => ledger.report(first!, transfer))).toBe('ACTIVE_SET_INVALID');
    expect(broken(() => ledger.report(first!, transfer, [...workers, wallets[0]!]))).toBe('ACTIVE_SET_INVALID');
    expect(broken(() => ledger.report(first!, transfer, [wallets[13]!]))).toBe('ACTIVE_SET_INVALID');
    expect(broken(() => ledger.report(first!, transfer, workers.slice(1)))).toBe('REPORT_NOT_ACTIVE');
    expect(broken(() => ledger.report(wallets[0]!, transfer, workers))).toBe('REPORT_NOT_ACTIVE');
    expect(broken(() => ledger.report(wallets[13]!, transfer, workers))).toBe('REPORT_NOT_ACTIVE');
    const other = { networkId: new Uint8Array(32) };
    expect(broken(() => ledger.report(first!, transfer, workers, other))).toBe('NETWORK_MISMATCH');
    ledger.report(first!, transfer, workers.slice(0, 9));
    expect(broken(() => ledger.report(first!, transfer))).toBe('REPORT_TWICE');
    expect(broken(() => ledger.report(second!, transfer, workers))).toBe('ACTIVE_SET_INVALID');
    expect(broken(() => ledger.report(workers[10]!, transfer))).toBe('REPORT_NOT_ACTIVE');
    ledger.timeMs += 7 * DAY_MS;
    ledger.report(second!, transfer);
    ledger.timeMs += 1;
    expect(broken(() => ledger.report(workers[2]!, transfer))).toBe('REPORT_TOO_LATE');
  });

  test('but a reward never', () => {
    const reward = ledger.reward();
    work();
    expect(broken(() => ledger.report(workers[0]!, reward, workers))).toBe('REPORT_UNKNOWN_TRANSFER');
    expect(broken(() => ledger.reverse(reward))).toBe('REVERSAL_UNFOUNDED');
  });

  function dispute(): void {
    for (const wallet of workers.slice(0, 7)) ledger.report(wallet, transfer, wallet === workers[0] ? workers : []);
  }
});

describe('a username', () => {
  test('is free and belongs to one wallet; who renames gives the old one back', () => {
    ledger.register('ada', wallets[13]!);
    expect(account(wallets[13]!)).toMatchObject({ username: 'ada', registrations: 1 });
    expect(broken(() => ledger.register('ada', sender))).toBe('USERNAME_TAKEN');
    expect(broken(() => ledger.register('ada', wallets[13]!))).toBe('USERNAME_UNCHANGED');
    ledger.register('grace', wallets[13]!);
    ledger.register('ada', sender);
    expect(ledger.state.ownerOf('ada')).toEqual(account(sender));
    expect(ledger.state.ownerOf('grace')).toEqual(account(wallets[13]!));
    expect(ledger.state.ownerOf('hopper')).toBeUndefined();
  });

  test('cannot be claimed twice with one signature, for another network, or by the network', () => {
    ledger.register('ada', sender);
    expect(broken(() => ledger.register('grace', sender, { number: 1 }))).toBe('REGISTRATION_NUMBER_WRONG');
    expect(broken(() => ledger.register('grace', sender, { networkId: new Uint8Array(32) }))).toBe('NETWORK_MISMATCH');
    const { publicKey } = networkKey;
    expect(broken(() => ledger.register('grace', sender, { publicKey, number: 1 }))).toBe('RECIPIENT_INVALID');
    for (const username of ['ab', 'Ada', 'a b', '9lives', 'a'.repeat(21), 'ädä']) {
      expect(broken(() => ledger.register(username, sender))).toBe('USERNAME_INVALID');
    }
  });
});
