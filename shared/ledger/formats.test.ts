/** What every binary format of the ledger owes: it reads what it writes, and nothing that it could not have written. */
import { concatBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SigningKey } from '../wallet/wallet.ts';
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint, openSeal, sealCheckpoint } from './checkpoint.ts';
import { decodeCosignature, encodeCosignature } from './cosignature.ts';
import { decodeEntry, encodeReceiptEntry, encodeReportEntry, encodeTransactionEntry } from './entry.ts';
import { decodeGenesis, defaultGenesis, encodeGenesis } from './genesis.ts';
import { MAX_MICRO_ALC } from './limits.ts';
import { networkOf } from './network.ts';
import { decodeReceipt, encodeReceipt, type InferenceReceipt } from './receipt.ts';
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
import { decodeRegistration, encodeRegistration } from './registration.ts';
import { decodeReport, encodeReport, signReport } from './report.ts';
import { decodeTrainingReceipt, encodeTrainingReceipt, type TrainingReceipt } from './training-receipt.ts';
import {
  decodeSigned,
  decodeTransaction,
  encodeTransaction,
  isSignedBySender,
  signTransaction,
  TRANSACTION_TYPES,
  type Transaction,
} from './transaction.ts';

const key = new SigningKey(new Uint8Array(32).fill(7));
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const safe = fc.maxSafeNat();
const amount = fc.bigInt({ min: 0n, max: MAX_MICRO_ALC });
const u32 = fc.nat(2 ** 32 - 1);
const memo = fc
  .string({ unit: 'grapheme', maxLength: 64 })
  .filter((text) => new TextEncoder().encode(text).length <= 64);

const transaction: fc.Arbitrary<Transaction> = fc.record({
  networkId: bytes(32),
  type: fc.constantFrom(...TRANSACTION_TYPES),
  from: bytes(32),
  to: bytes(32),
  amountMicroAlc: amount,
  feeMicroAlc: amount,
  nonce: safe,
  timeMs: safe,
  reference: bytes(32),
  memo,
});
const participant = fc
  .record({ publicKey: bytes(32), start: fc.nat(1000), length: fc.integer({ min: 1, max: 1000 }) })
  .map(({ publicKey, start, length }) => ({ publicKey, start, end: start + length }));
const receipt: fc.Arbitrary<InferenceReceipt> = fc.record({
  job: bytes(16),
  requester: bytes(32),
  number: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  timeMs: safe,
  tokens: u32,
  latencyMs: u32,
  finish: fc.constantFrom('stop' as const, 'length' as const),
  model: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/),
  participants: fc.array(participant, { minLength: 1, maxLength: 9 }),
});
const trainingReceipt: fc.Arbitrary<TrainingReceipt> = fc
  .record({
    unit: bytes(16),
    wallet: bytes(32),
    number: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    timeMs: safe,
    round: u32,
    sequences: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
    rank: fc.integer({ min: 1, max: 100 }),
    worse: fc.nat(1000),
    lossBeforeMicroNats: u32,
    lossAfterMicroNats: u32,
    latencyMs: u32,
    campaign: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/),
  })
  .map(({ worse, ...receipt }) => ({ ...receipt, ranked: receipt.rank + worse }));
const checkpoint: fc.Arbitrary<Checkpoint> = fc.record({
  networkId: bytes(32),
  size: safe,
  root: bytes(32),
  stateHash: bytes(32),
  timeMs: safe,
});
const username = fc.stringMatching(/^[a-z][a-z0-9_-]{2,19}$/);
const account = fc.record({
  publicKey: bytes(32),
  availableMicroAlc: fc.bigInt({ min: -MAX_MICRO_ALC, max: MAX_MICRO_ALC }),
  pendingMicroAlc: amount,
  nonce: safe,
  receipts: safe,
  quotaHour: u32,
  quotaUsed: u32,
  lastWorkMs: safe,
  trainings: safe,
  cosignedSize: safe,
  registrations: safe,
  username: fc.oneof(fc.constant(''), username),
});
const places = fc.array(u32, { maxLength: 12 });
const transfer = fc.record({
  hash: bytes(32),
  from: bytes(32),
  to: bytes(32),
  amountMicroAlc: amount,
  index: safe,
  timeMs: safe,
  verifiers: places,
  confirmed: fc.boolean(),
  trouble: fc.constantFrom('none', 'reported', 'disputed', 'reversed'),
});
const dispute = fc.record({
  transfer: bytes(32),
  activeSet: places,
  reporters: places,
  reports: fc.array(safe, { maxLength: 12 }),
  disputedMs: safe,
});
const vote = { networkId: bytes(32), publicKey: bytes(32) };
const cosignature = fc.record({ ...vote, size: safe, root: bytes(32) });
const report = fc.record({ ...vote, transfer: bytes(32), reason: memo.filter((text) => text !== '') });
const registration = fc.record({ ...vote, number: safe, username });
const signed = <T>(payload: fc.Arbitrary<T>) => fc.record({ payload, signature: bytes(64) });
type Signed<T> = { payload: T; signature: Uint8Array };
const behind =
  <T>(encode: (payload: T) => Uint8Array) =>
  ({ payload, signature }: Signed<T>) =>
    concatBytes(encode(payload), signature);
const totals = fc.record({
  mintedMicroAlc: amount,
  burnedMicroAlc: amount,
  treasuryMicroAlc: amount,
  networkNonce: safe,
  timeMs: safe,
  epoch: safe,
  epochMintedMicroAlc: amount,
  epochEarners: u32,
  epochRatePpm: u32,
});

const FORMATS = [
  ['transaction', 'TRANSACTION_INVALID', transaction, encodeTransaction, decodeTransaction],
  ['receipt', 'RECEIPT_INVALID', receipt, encodeReceipt, decodeReceipt],
  ['training receipt', 'RECEIPT_INVALID', trainingReceipt, encodeTrainingReceipt, decodeTrainingReceipt],
  ['checkpoint', 'CHECKPOINT_INVALID', checkpoint, encodeCheckpoint, decodeCheckpoint],
  ['account', 'LEDGER_RECORD_INVALID', account, encodeAccount, decodeAccount],
  ['transfer record', 'LEDGER_RECORD_INVALID', transfer, encodeTransfer, decodeTransfer],
  ['dispute', 'LEDGER_RECORD_INVALID', dispute, encodeDispute, decodeDispute],
  ['totals', 'LEDGER_RECORD_INVALID', totals, encodeTotals, decodeTotals],
  [
    'cosignature',
    'COSIGNATURE_INVALID',
    signed(cosignature),
    behind(encodeCosignature),
    (received: Uint8Array) => payloadOf(decodeCosignature(received), 'cosignature'),
  ],
  [
    'report',
    'REPORT_INVALID',
    signed(report),
    behind(encodeReport),
    (received: Uint8Array) => payloadOf(decodeReport(received), 'report'),
  ],
  [
    'registration',
    expect.stringMatching(/^(REGISTRATION|USERNAME)_INVALID$/),
    signed(registration),
    behind(encodeRegistration),
    (received: Uint8Array) => payloadOf(decodeRegistration(received), 'registration'),
  ],
] as [string, unknown, fc.Arbitrary<object>, (value: never) => Uint8Array, (bytes: Uint8Array) => object][];

function payloadOf<K extends string, T>(decoded: { [key in K]: T } & { signature: Uint8Array }, kind: K): Signed<T> {
  return { payload: decoded[kind], signature: decoded.signature };
}

describe.each(FORMATS)('a %s', (_, code, arbitrary, encode, decode) => {
  const refused = expect.objectContaining({ code });

  test('is read as it was written', () => {
    fc.assert(
      fc.property(arbitrary, (value) => {
        expect(decode(encode(value as never))).toEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test('is refused when a byte is missing or left over', () => {
    const [value] = fc.sample(arbitrary, { numRuns: 1, seed: 1 });
    const whole = encode(value as never);
    for (let length = 0; length < whole.length; length++) expect(() => decode(whole.slice(0, length))).toThrow(refused);
    expect(() => decode(Uint8Array.of(...whole, 0))).toThrow(refused);
  });

  test('has one spelling: changed bytes are refused or mean something else', () => {
    fc.assert(
      fc.property(arbitrary, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const changed = encode(value as never);
        changed[at % changed.length]! ^= flip;
        let decoded: object;
        try {
          decoded = decode(changed);
        } catch (error) {
          expect(error).toEqual(refused);
          return;
        }
        expect(encode(decoded as never)).toEqual(changed);
        expect(decoded).not.toEqual(value);
      }),
      { numRuns: 300 },
    );
  });
});

describe('a transaction', () => {
  const [one] = fc.sample(transaction, { numRuns: 1, seed: 2 }) as [Transaction];
  const invalid = expect.objectContaining({ code: 'TRANSACTION_INVALID' });

  test.each<Partial<Transaction>>([
    { memo: 'x'.repeat(65) },
    { memo: '€'.repeat(22) },
    { memo: '\ud800' },
    { amountMicroAlc: -1n },
    { amountMicroAlc: MAX_MICRO_ALC + 1n },
    { feeMicroAlc: 2n ** 64n },
    { nonce: 1.5 },
    { nonce: -1 },
    { timeMs: 2 ** 53 },
    { to: new Uint8Array(31) },
    { reference: new Uint8Array(33) },
  ])('with %o has no encoding', (change) => {
    expect(() => encodeTransaction({ ...one, ...change })).toThrow(invalid);
  });

  test('keeps the bytes that were received, and belongs to their signature', () => {
    fc.assert(
      fc.property(transaction, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, flip) => {
        const made = signTransaction(key, { ...value, from: key.publicKey });
        const received = Uint8Array.of(...made.bytes, ...made.signature);
        expect(decodeSigned(received)).toEqual(made);
        expect(isSignedBySender(made)).toBe(true);
        received[at % received.length]! ^= flip;
        try {
          expect(isSignedBySender(decodeSigned(received))).toBe(false);
        } catch (error) {
          expect(error).toEqual(invalid);
        }
      }),
      { numRuns: 50 },
    );
  });
});

test('a receipt without participants, model or number is none', () => {
  const [one] = fc.sample(receipt, { numRuns: 1, seed: 3 }) as [InferenceReceipt];
  const many = Array.from({ length: 513 }, () => one.participants[0]!);
  for (const change of [{ participants: [] }, { participants: many }, { model: '' }, { model: 'é' }, { number: 0 }]) {
    expect(() => encodeReceipt({ ...one, ...change })).toThrow(expect.objectContaining({ code: 'RECEIPT_INVALID' }));
  }
});

test('entries carry what there are kinds for, and nothing else', () => {
  fc.assert(
    fc.property(transaction, receipt, report, safe, (aTransaction, aReceipt, aReport, timeMs) => {
      const signed = signTransaction(key, aTransaction);
      expect(decodeEntry(encodeTransactionEntry(timeMs, signed))).toEqual({ kind: 'transaction', timeMs, signed });
      expect(decodeEntry(encodeReceiptEntry(timeMs, aReceipt))).toMatchObject({
        kind: 'receipt',
        timeMs,
        receipt: aReceipt,
      });
      const reported = signReport(key, aReport);
      const entry = { kind: 'report', timeMs, signed: reported, activeSet: [0, 3, 2 ** 32 - 1] } as const;
      expect(decodeEntry(encodeReportEntry(timeMs, reported, [...entry.activeSet]))).toEqual(entry);
      for (const places of [
        [3, 3],
        [3, 2],
      ]) {
        const disordered = encodeReportEntry(timeMs, reported, places);
        expect(() => decodeEntry(disordered)).toThrow(expect.objectContaining({ code: 'ENTRY_INVALID' }));
      }
    }),
    { numRuns: 30 },
  );
  const other = new Uint8Array(20);
  other[0] = 7;
  for (const bad of [new Uint8Array(), new Uint8Array(5), other]) {
    expect(() => decodeEntry(bad)).toThrow(expect.objectContaining({ code: 'ENTRY_INVALID' }));
  }
});

describe('a seal', () => {
  const network = networkOf(defaultGenesis(key.publicKey, 'test', 0));
  const [sample] = fc.sample(checkpoint, { numRuns: 1, seed: 4 }) as [Checkpoint];
  const seal = sealCheckpoint(key, { ...sample, networkId: network.id });

  test('opens for its own network and key only', () => {
    expect(openSeal(seal, network)).toEqual({ ...sample, networkId: network.id });
    const other = networkOf(defaultGenesis(key.publicKey, 'other', 0));
    expect(() => openSeal(seal, other)).toThrow(expect.objectContaining({ code: 'NETWORK_MISMATCH' }));
    const publicKey = new SigningKey(new Uint8Array(32).fill(8)).publicKey;
    const forged = expect.objectContaining({ code: 'SIGNATURE_INVALID' });
    expect(() => openSeal(seal, { ...network, publicKey })).toThrow(forged);
    expect(() => openSeal({ ...seal, signature: seal.signature.slice(1) }, network)).toThrow(forged);
  });
});

describe('a genesis file', () => {
  const genesis = defaultGenesis(key.publicKey, 'test network', 1_767_225_600_000);
  const text = new TextDecoder().decode(encodeGenesis(genesis));
  const invalid = expect.objectContaining({ code: 'GENESIS_INVALID' });

  test('is read as it was written, whatever the order it was built in', () => {
    expect(decodeGenesis(encodeGenesis(genesis))).toEqual(genesis);
    const turned = Object.fromEntries(Object.entries(genesis).reverse()) as typeof genesis;
    expect(new TextDecoder().decode(encodeGenesis(turned))).toBe(text);
  });

  test.each([
    ['white space', `${text}\n`],
    ['another order', JSON.stringify(Object.fromEntries(Object.entries(genesis).reverse()))],
    ['another spelling of a number', text.replace(':5000,', ':5e3,')],
    ['an unknown field', text.replace('{', '{"a":1,')],
    ['a byte order mark', `\ufeff${text}`],
    ['a name that needs escaping', text.replace('test network', 'test\\u0020network')],
    ['an amount with a sign', text.replace('"50000"', '"-50000"')],
    ['an amount beyond counting', text.replace('"50000"', '"9223372036854775808"')],
    ['a zero epoch', text.replace('86400000', '0')],
    ['a key of small order', text.replace(/[0-9a-f]{64}/, '01'.padEnd(64, '0'))],
    ['another version', text.replace('genesis/v1', 'genesis/v2')],
    ['no JSON', text.slice(1)],
    ['too many bytes', ' '.repeat(5000)],
  ])('is refused with %s', (_, bad) => {
    expect(bad).not.toBe(text);
    expect(() => decodeGenesis(new TextEncoder().encode(bad))).toThrow(invalid);
  });
});
