import { ED25519_TORSION_SUBGROUP } from '@noble/curves/ed25519.js';
import { hexToBytes } from '@noble/hashes/utils.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { encodeReceiptEntry, encodeTrainingReceiptEntry } from './entry.ts';
import { MAX_MICRO_ALC } from './limits.ts';
import type { InferenceReceipt } from './receipt.ts';
import { LedgerState } from './state.ts';
import { networkKey, START_MS, TestLedger, wallets } from './testing.ts';
import type { TrainingReceipt } from './training-receipt.ts';
import type { Transaction } from './transaction.ts';

let ledger: TestLedger;
beforeEach(() => {
  ledger = new TestLedger();
});

const key = (i: number) => wallets[i]!.publicKey;
const account = (i: number) => ledger.state.account(key(i))!;

/** The code of the rule that `attempt` breaks; the state must be as it was. */
function broken(attempt: () => void): string {
  const before = ledger.state.hash();
  let code = 'none';
  try {
    attempt();
  } catch (error) {
    code = (error as { code: string }).code;
  }
  expect(ledger.state.hash()).toEqual(before);
  return code;
}

describe('an inference', () => {
  test('pays its participants and nobody else, from nothing', () => {
    ledger.pay({ latencyMs: 0 });
    expect([0, 1, 2].map((i) => account(i).availableMicroAlc)).toEqual([0n, 100_000n, 100_000n]);
    expect(ledger.state.totals).toMatchObject({ mintedMicroAlc: 200_000n, networkNonce: 2, epochEarners: 2 });
    expect(account(0)).toMatchObject({ receipts: 1, quotaUsed: 1 });
    expect(account(1)).toMatchObject({ lastWorkMs: START_MS });
  });

  test('pays a wallet that held two stages once, and the requester never', () => {
    const participants = [1, 0, 1, 2].map((i, at) => ({ publicKey: key(i), start: at, end: at + 1 }));
    ledger.pay({ participants });
    expect([0, 1, 2].map((i) => account(i).availableMicroAlc)).toEqual([0n, 50_000n, 50_000n]);
  });

  const receipt = (change: Partial<InferenceReceipt>) => () =>
    ledger.add(encodeReceiptEntry(ledger.timeMs, ledger.receipt(change)));

  test('breaks a rule', () => {
    ledger.pay();
    expect(broken(receipt({ number: 1 }))).toBe('RECEIPT_NUMBER_WRONG');
    expect(broken(receipt({ number: 3 }))).toBe('RECEIPT_NUMBER_WRONG');
    expect(broken(receipt({ tokens: 15 }))).toBe('RECEIPT_TOO_SHORT');
    expect(broken(receipt({ timeMs: START_MS + 120_001 }))).toBe('TIME_IN_FUTURE');
    expect(broken(receipt({ participants: [{ publicKey: key(0), start: 0, end: 1 }] }))).toBe('RECEIPT_NOBODY_TO_PAY');
    const nobody = [networkKey.publicKey, ...ED25519_TORSION_SUBGROUP.map((hex) => hexToBytes(hex))];
    for (const publicKey of nobody) {
      expect(broken(receipt({ participants: [{ publicKey, start: 0, end: 1 }] }))).toBe('RECIPIENT_INVALID');
      expect(broken(receipt({ requester: publicKey }))).toBe('RECIPIENT_INVALID');
    }
  });

  test('is paid for sixty times an hour', () => {
    for (let n = 0; n < 60; n++) ledger.pay();
    expect(broken(receipt({}))).toBe('RECEIPT_OVER_QUOTA');
    ledger.pay({ requester: key(5) });
    ledger.timeMs += 3_600_000;
    ledger.pay();
    expect(account(0)).toMatchObject({ receipts: 61, quotaUsed: 1 });
  });

  test('must be paid as its receipt says before anything else happens', () => {
    ledger.pay();
    const receipts = () => ledger.add(encodeReceiptEntry(ledger.timeMs, ledger.receipt()));
    receipts();
    expect(broken(receipts)).toBe('REWARD_MISSING');
    expect(broken(() => ledger.place(ledger.transfer()))).toBe('REWARD_MISSING');
    const wrong: Partial<Transaction>[] = [
      { to: key(2) },
      { amountMicroAlc: 50_001n },
      { reference: new Uint8Array(32) },
      { type: 'training-reward' },
      { feeMicroAlc: 1n },
      { memo: 'thanks' },
      { timeMs: START_MS + 1 },
    ];
    for (const change of wrong) expect(broken(() => ledger.place(ledger.reward(change)))).toBe('REWARD_WRONG');
    expect(broken(() => ledger.place(ledger.reward({ nonce: 2 })))).toBe('NONCE_WRONG');
    expect(broken(() => ledger.place(ledger.reward({ from: key(1) })))).toBe('NOT_FROM_NETWORK');
    expect(broken(() => ledger.place(ledger.reward({ networkId: new Uint8Array(32) })))).toBe('NETWORK_MISMATCH');
    ledger.place(ledger.reward());
    ledger.place(ledger.reward());
    expect(broken(() => ledger.place(ledger.reward()))).toBe('REWARD_WITHOUT_RECEIPT');
  });

  test('that would mint more than can be counted is refused', () => {
    const { totals } = ledger.state;
    const full = { ...totals, mintedMicroAlc: MAX_MICRO_ALC - 99_999n, treasuryMicroAlc: MAX_MICRO_ALC - 99_999n };
    const state = new LedgerState({ totals: full });
    Object.assign(ledger, { state });
    expect(broken(() => ledger.pay())).toBe('SUPPLY_EXHAUSTED');
  });
});

describe('an update', () => {
  const receipt = (change: Partial<TrainingReceipt>) => () =>
    ledger.add(encodeTrainingReceiptEntry(ledger.timeMs, ledger.trainingReceipt(change)));

  test('pays who trained it by batch and rank', () => {
    receipt({})();
    expect(broken(() => ledger.place(ledger.reward({ type: 'inference-reward' })))).toBe('REWARD_WRONG');
    expect(broken(() => ledger.place(ledger.reward({ amountMicroAlc: 150_001n })))).toBe('REWARD_WRONG');
    ledger.place(ledger.reward());
    expect(account(4)).toMatchObject({ availableMicroAlc: 150_000n, trainings: 1, lastWorkMs: START_MS });
  });

  test('breaks a rule', () => {
    receipt({})();
    ledger.place(ledger.reward());
    expect(broken(receipt({ number: 1 }))).toBe('RECEIPT_NUMBER_WRONG');
    expect(broken(receipt({ sequences: 65 }))).toBe('RECEIPT_TOO_LARGE');
    expect(broken(receipt({ timeMs: START_MS + 120_001 }))).toBe('TIME_IN_FUTURE');
    expect(broken(receipt({ wallet: networkKey.publicKey }))).toBe('RECIPIENT_INVALID');
    for (const change of [{ rank: 0 }, { rank: 4 }, { sequences: 0 }, { number: 0 }, { campaign: '' }]) {
      expect(broken(receipt(change))).toBe('RECEIPT_INVALID');
    }
  });
});

describe('a transfer', () => {
  beforeEach(() => ledger.pay());

  test('leaves the sender at once, waits with the recipient, and its fee is halved between fire and treasury', () => {
    const signed = ledger.transfer();
    ledger.place(signed);
    expect(account(1)).toMatchObject({ availableMicroAlc: 30_000n, nonce: 1 });
    expect(account(3)).toMatchObject({ availableMicroAlc: 0n, pendingMicroAlc: 10_000n });
    expect(ledger.state.totals).toMatchObject({ burnedMicroAlc: 5_000n, treasuryMicroAlc: 5_000n });
    expect(ledger.state.transfer(signed.hash)).toMatchObject({
      index: 3,
      timeMs: START_MS,
      verifiers: [],
      confirmed: false,
      trouble: 'none',
    });
  });

  test('cannot spend what is pending', () => {
    ledger.place(ledger.transfer({ amountMicroAlc: 40_000n }));
    expect(broken(() => ledger.place(ledger.transfer({ amountMicroAlc: 10_000n, to: key(4) }, wallets[3])))).toBe(
      'BALANCE_INSUFFICIENT',
    );
  });

  test('may empty the account to the last µALC, and not beyond', () => {
    expect(broken(() => ledger.place(ledger.transfer({ amountMicroAlc: 40_001n })))).toBe('BALANCE_INSUFFICIENT');
    ledger.place(ledger.transfer({ amountMicroAlc: 40_000n }));
    expect(account(1).availableMicroAlc).toBe(0n);
  });

  test.each<[Partial<Transaction>, string]>([
    [{ networkId: new Uint8Array(32) }, 'NETWORK_MISMATCH'],
    [{ to: key(1) }, 'TRANSFER_TO_SELF'],
    [{ to: networkKey.publicKey }, 'RECIPIENT_INVALID'],
    [{ to: hexToBytes(ED25519_TORSION_SUBGROUP[0]!) }, 'RECIPIENT_INVALID'],
    [{ to: new Uint8Array(32).fill(255) }, 'RECIPIENT_INVALID'],
    [{ amountMicroAlc: 0n }, 'AMOUNT_ZERO'],
    [{ amountMicroAlc: MAX_MICRO_ALC }, 'BALANCE_INSUFFICIENT'],
    [{ feeMicroAlc: 0n }, 'FEE_WRONG'],
    [{ feeMicroAlc: 10_001n }, 'FEE_WRONG'],
    [{ timeMs: START_MS + 120_001 }, 'TIME_IN_FUTURE'],
    [{ nonce: 0 }, 'NONCE_WRONG'],
    [{ nonce: 2 }, 'NONCE_WRONG'],
    [{ reference: new Uint8Array(32).fill(1) }, 'TRANSACTION_INVALID'],
    [{ from: key(7) }, 'BALANCE_INSUFFICIENT'],
    [{ from: networkKey.publicKey }, 'BALANCE_INSUFFICIENT'],
  ])('with %o breaks a rule', (change, code) => {
    expect(broken(() => ledger.place(ledger.transfer(change)))).toBe(code);
  });

  test('may be dated up to the tolerance ahead, and back as far as it likes', () => {
    ledger.place(ledger.transfer({ timeMs: START_MS + 120_000 }));
    ledger.place(ledger.transfer({ timeMs: 0 }));
  });

  test('is not placed twice', () => {
    const signed = ledger.transfer();
    ledger.place(signed);
    expect(broken(() => ledger.place(signed))).toBe('NONCE_WRONG');
  });

  test('is not reversed without a dispute', () => {
    const signed = ledger.transfer();
    ledger.place(signed);
    const reversal: Partial<Transaction> = {
      type: 'reversal',
      to: key(1),
      amountMicroAlc: 10_000n,
      reference: signed.hash,
    };
    expect(broken(() => ledger.place(ledger.reward(reversal)))).toBe('REVERSAL_UNFOUNDED');
    expect(broken(() => ledger.place(ledger.transfer({ type: 'reversal' })))).toBe('NOT_FROM_NETWORK');
  });
});

test('time does not go back', () => {
  ledger.pay();
  ledger.timeMs -= 1;
  expect(broken(() => ledger.pay())).toBe('ENTRY_TIME_BACKWARDS');
  expect(broken(() => ledger.place(ledger.transfer()))).toBe('ENTRY_TIME_BACKWARDS');
});

describe('an epoch', () => {
  const scarce = () => new TestLedger((g) => ({ ...g, issuance: { ...g.issuance, targetMicroAlc: '75000' } }));

  test('pays less after one in which more was minted than its target', () => {
    ledger = scarce();
    ledger.pay();
    ledger.pay();
    expect(ledger.state.totals).toMatchObject({ epoch: 0, epochMintedMicroAlc: 200_000n, epochEarners: 2 });
    ledger.timeMs += 86_400_000;
    ledger.pay();
    expect(ledger.state.totals).toMatchObject({ epoch: 1, epochRatePpm: 750_000, epochMintedMicroAlc: 75_000n });
    ledger.timeMs += 86_400_000;
    ledger.pay();
    expect(ledger.state.totals).toMatchObject({ epoch: 2, epochRatePpm: 1_000_000 });
  });

  test('never pays less than half, and all after an epoch without rewards', () => {
    ledger = scarce();
    for (let n = 0; n < 9; n++) ledger.pay();
    ledger.timeMs += 86_400_000;
    ledger.pay();
    expect(ledger.state.totals.epochRatePpm).toBe(500_000);
    ledger.timeMs += 2 * 86_400_000;
    ledger.pay();
    expect(ledger.state.totals).toMatchObject({ epoch: 3, epochRatePpm: 1_000_000 });
  });
});
