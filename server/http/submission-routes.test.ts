/** Everything that can be wrong with what a wallet sends, each with its own code and sentence. */
import { ed25519 } from '@noble/curves/ed25519.js';
import { bytesToNumberLE, numberToBytesLE } from '@noble/curves/utils.js';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { decodeEntry } from '../../shared/ledger/entry.ts';
import { MAX_MICRO_ALC } from '../../shared/ledger/limits.ts';
import { paths, SubmissionResponse } from '../../shared/protocol/http.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import {
  cosignature,
  genesis,
  inference,
  networkKey,
  registration,
  report,
  START_MS,
  transfer,
  wallets,
} from '../ledger/testing.ts';
import { SUBMISSION_RATES } from './limits.ts';
import { openTestServer, type TestServer } from './testing.ts';

let server: TestServer;
beforeEach(async () => {
  server = await openTestServer();
  // Wallets 1 to 4 have earned 0.05 ALC each.
  await server.ledger.mintInference(inference(1));
});
afterEach(() => server.close());

const [asker, ada, bo, chi, dee] = wallets as [Wallet, Wallet, Wallet, Wallet, Wallet];
const size = async () => (await server.ledger.checkpoint()).checkpoint.size;
const checkpoint = async () => (await server.ledger.checkpoint()).checkpoint;

async function accepted(kind: Parameters<TestServer['submit']>[0], signed: Uint8Array): Promise<number> {
  const answer = await server.submit(kind, signed);
  expect([answer.statusCode, answer.json()]).toEqual([200, { index: expect.any(Number) }]);
  return v.parse(SubmissionResponse, answer.json()).index;
}

async function refused(kind: Parameters<TestServer['submit']>[0], signed: Uint8Array) {
  const before = await size();
  const answer = await server.submit(kind, signed);
  const { code, message } = answer.json() as { code: string; message: string };
  expect(message).toMatch(/^[A-Z“0-9].*\.$/s);
  expect(await size()).toBe(before);
  return [answer.statusCode, code];
}

/** With byte `at` changed; negative: from the end. */
function altered(signed: Uint8Array, at: number): Uint8Array {
  const bytes = signed.slice();
  const i = at < 0 ? bytes.length + at : at;
  bytes[i] = bytes[i]! ^ 1;
  return bytes;
}

/** `ailo/tx/v1\0`, network, type, sender, recipient come before the amount. */
const AMOUNT_AT = 11 + 1 + 32 + 1 + 32 + 32;
const RECIPIENT_AT = AMOUNT_AT - 32;

describe('a transfer', () => {
  test('is answered with its place when it is sealed, and again with the same however often it comes', async () => {
    const signed = transfer(ada, 1);
    const index = await accepted('transfer', signed);
    expect(index).toBe(5);
    expect((await checkpoint()).size).toBe(6);
    expect(await accepted('transfer', signed)).toBe(index);
    await accepted('transfer', transfer(ada, 2));
    expect(await accepted('transfer', signed)).toBe(index);
    expect(await size()).toBe(7);
  });

  test('that comes twice at the same time is made once', async () => {
    const signed = transfer(ada, 1);
    expect(await Promise.all([1, 2, 3].map(() => accepted('transfer', signed)))).toEqual([5, 5, 5]);
    expect(await size()).toBe(6);
  });

  test('that is bad refuses only itself, whatever else comes at the same time', async () => {
    const outcomes = await Promise.all(
      [transfer(ada, 1), transfer(ada, 3), transfer(bo, 1), transfer(ada, 1, { memo: 'again' })].map((signed) =>
        server.submit('transfer', signed),
      ),
    );
    expect(outcomes.map(({ statusCode }) => statusCode)).toEqual([200, 422, 200, 422]);
    expect(await size()).toBe(7);
  });

  const cases: [string, () => Uint8Array, number, string][] = [
    ['forged', () => transfer(bo, 1, { from: ada.publicKey }), 422, 'SIGNATURE_INVALID'],
    ['altered', () => altered(transfer(ada, 1), AMOUNT_AT), 422, 'SIGNATURE_INVALID'],
    ['with an altered recipient', () => altered(transfer(ada, 1), RECIPIENT_AT), 422, 'SIGNATURE_INVALID'],
    ['with an altered signature', () => altered(transfer(ada, 1), -40), 422, 'SIGNATURE_INVALID'],
    ['with a signature in another form', () => malleated(transfer(ada, 1)), 422, 'SIGNATURE_INVALID'],
    ['ahead of its turn', () => transfer(ada, 2), 422, 'NONCE_WRONG'],
    ['before the first', () => transfer(ada, 0), 422, 'NONCE_WRONG'],
    ['of the future', () => transfer(ada, 1, { timeMs: START_MS + 120_001 }), 422, 'TIME_IN_FUTURE'],
    ['of more than there is', () => transfer(ada, 1, { amountMicroAlc: 40_001n }), 422, 'BALANCE_INSUFFICIENT'],
    ['of somebody without an account', () => transfer(dee2, 1), 422, 'BALANCE_INSUFFICIENT'],
    ['to oneself', () => transfer(ada, 1, { to: ada.publicKey }), 422, 'TRANSFER_TO_SELF'],
    ['of nothing', () => transfer(ada, 1, { amountMicroAlc: 0n }), 422, 'AMOUNT_ZERO'],
    ['for another network', () => transfer(ada, 1, { networkId: new Uint8Array(32) }), 422, 'NETWORK_MISMATCH'],
    ['with too small a fee', () => transfer(ada, 1, { feeMicroAlc: 9_999n }), 422, 'FEE_WRONG'],
    ['with too large a fee', () => transfer(ada, 1, { feeMicroAlc: 10_001n }), 422, 'FEE_WRONG'],
    ['of all there can be', () => transfer(ada, 1, { amountMicroAlc: MAX_MICRO_ALC }), 422, 'BALANCE_INSUFFICIENT'],
    ['of more than there can be', () => overflowing(transfer(ada, 1)), 400, 'TRANSACTION_INVALID'],
    [
      'that refers to something',
      () => transfer(ada, 1, { reference: new Uint8Array(32).fill(1) }),
      400,
      'TRANSACTION_INVALID',
    ],
    ['to the network itself', () => transfer(ada, 1, { to: networkKey.publicKey }), 422, 'RECIPIENT_INVALID'],
    ['from a key of small order', () => withSender(SMALL_ORDER), 400, 'PUBLIC_KEY_INVALID'],
    ['from a key that is not canonical', () => withSender(NOT_CANONICAL), 400, 'PUBLIC_KEY_INVALID'],
    ['from a key that is no point', () => withSender(NO_POINT), 400, 'PUBLIC_KEY_INVALID'],
    ['to a key of small order', () => transfer(ada, 1, { to: SMALL_ORDER }), 422, 'RECIPIENT_INVALID'],
    ['to a key that is not canonical', () => transfer(ada, 1, { to: NOT_CANONICAL }), 422, 'RECIPIENT_INVALID'],
    ['to a key that is no point', () => transfer(ada, 1, { to: NO_POINT }), 422, 'RECIPIENT_INVALID'],
    ['that is a reward', () => transfer(ada, 1, { type: 'inference-reward' }), 422, 'NOT_FROM_NETWORK'],
    ['that is a reversal', () => transfer(ada, 1, { type: 'reversal' }), 422, 'NOT_FROM_NETWORK'],
    ['that was cut', () => transfer(ada, 1).slice(0, -1), 400, 'TRANSACTION_INVALID'],
    ['with something behind it', () => concatBytes(transfer(ada, 1), new Uint8Array(1)), 400, 'TRANSACTION_INVALID'],
    ['that is a registration', () => registration(ada, 1, 'ada'), 400, 'TRANSACTION_INVALID'],
  ];
  test.each(cases)('%s is refused', async (_, signed, status, code) => {
    expect(await refused('transfer', signed())).toEqual([status, code]);
  });

  test('after the clock was set back is placed, but not back in time', async () => {
    await accepted('transfer', transfer(ada, 1));
    server.nowMs -= 3_600_000;
    const index = await accepted('transfer', transfer(ada, 2));
    const [entry] = await server.ledger.entries(index, index + 1);
    expect(decodeEntry(entry!).timeMs).toBe(START_MS);
    expect((await checkpoint()).timeMs).toBe(START_MS);
  });
});

const dee2 = new Wallet(new Uint8Array(32).fill(99));
const SMALL_ORDER = hexToBytes('ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
const NOT_CANONICAL = hexToBytes('edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f');
const NO_POINT = hexToBytes(`02${'00'.repeat(31)}`);

const withSender = (from: Uint8Array) => transfer(ada, 1, { from });

/** The same signature with S + L: the same point, but not the canonical number. */
function malleated(signed: Uint8Array): Uint8Array {
  const s = bytesToNumberLE(signed.slice(-32)) + ed25519.Point.CURVE().n;
  return concatBytes(signed.slice(0, -32), numberToBytesLE(s, 32));
}

function overflowing(signed: Uint8Array): Uint8Array {
  const bytes = signed.slice();
  bytes.fill(0xff, AMOUNT_AT, AMOUNT_AT + 8);
  return bytes;
}

describe('a registration', () => {
  test('gives the wallet its name, and asking again changes nothing', async () => {
    const index = await accepted('registration', registration(dee2, 1, 'dee'));
    expect(await accepted('registration', registration(dee2, 1, 'dee'))).toBe(index);
    // The wallet has that name, whatever number it thinks is next.
    expect(await accepted('registration', registration(dee2, 2, 'dee'))).toBe(index);
    expect((await server.get(paths.username('dee'))).json()).toEqual({ username: 'dee', address: dee2.address });
    expect((await server.get(paths.account(dee2.address))).json()).toMatchObject({ username: 'dee' });
    expect((await server.get(paths.username('ada'))).statusCode).toBe(404);
    expect((await server.get(paths.username('Ada'))).json()).toMatchObject({ code: 'USERNAME_INVALID' });
  });

  test('of another name gives the first one back, which is somebody else’s in the same moment', async () => {
    await accepted('registration', registration(ada, 1, 'ada'));
    await Promise.all([
      accepted('registration', registration(ada, 2, 'lovelace')),
      accepted('registration', registration(bo, 1, 'ada')),
    ]);
    expect(await server.ledger.ownerOf('ada')).toBe(bo.address);
    expect(await server.ledger.usernameOf(ada.address)).toBe('lovelace');
    // Long since in the log, and no longer so.
    expect(await accepted('registration', registration(ada, 1, 'ada'))).toBe(5);
  });

  test('that twice comes at once is made once', async () => {
    const signed = [registration(ada, 1, 'ada'), registration(ada, 1, 'ada'), registration(ada, 2, 'ada')];
    expect(await Promise.all(signed.map((each) => accepted('registration', each)))).toEqual([5, 5, 5]);
  });

  test('is refused where a rule says so', async () => {
    await accepted('registration', registration(ada, 1, 'ada'));
    expect(await refused('registration', registration(bo, 1, 'ada'))).toEqual([422, 'USERNAME_TAKEN']);
    expect(await refused('registration', registration(bo, 2, 'bo1'))).toEqual([422, 'REGISTRATION_NUMBER_WRONG']);
    expect(await refused('registration', altered(registration(bo, 1, 'bo1'), -65))).toEqual([422, 'SIGNATURE_INVALID']);
    expect(await refused('registration', altered(registration(bo, 1, 'bo1'), 0))).toEqual([
      400,
      'REGISTRATION_INVALID',
    ]);
  });
});

describe('a cosignature', () => {
  let reported: Uint8Array;
  beforeEach(async () => {
    reported = transfer(ada, 1);
    await accepted('transfer', reported);
  });

  test('counts once for what it covers, however often it comes', async () => {
    const signed = cosignature(bo, await checkpoint());
    const index = await accepted('cosignature', signed);
    expect(await accepted('cosignature', signed)).toBe(index);
    const { transactions } = await server.ledger.transactions(ada.address, { limit: 1 });
    expect(transactions[0]).toMatchObject({ state: 'pending', confirmations: 1 });
    expect(await refused('cosignature', cosignature(bo, await checkpoint()))).toEqual([422, 'COSIGNATURE_EMPTY']);
  });

  test('is refused where a rule says so', async () => {
    const now = await checkpoint();
    const other = { root: new Uint8Array(32) };
    expect(await refused('cosignature', cosignature(bo, now, other))).toEqual([422, 'COSIGNATURE_ROOT_WRONG']);
    expect(await refused('cosignature', cosignature(bo, now, { size: 7 }))).toEqual([422, 'COSIGNATURE_AHEAD']);
    expect(await refused('cosignature', cosignature(asker, now))).toEqual([422, 'NOT_ELIGIBLE']);
    expect(await refused('cosignature', cosignature(chi, now))).toEqual([422, 'COSIGNATURE_EMPTY']);
    expect(await refused('cosignature', altered(cosignature(bo, now), -1))).toEqual([422, 'SIGNATURE_INVALID']);
    expect(await refused('cosignature', reported)).toEqual([400, 'COSIGNATURE_INVALID']);
    server.nowMs += genesis.activity.verifiedWorkMs + 1;
    expect(await refused('cosignature', cosignature(bo, now))).toEqual([422, 'NOT_ELIGIBLE']);
  });
});

describe('a report', () => {
  let reported: Uint8Array;
  beforeEach(async () => {
    reported = transfer(ada, 1);
    await accepted('transfer', reported);
    server.present = [bo, chi, dee].map(({ address }) => address);
  });

  test('by enough of those who are active freezes the funds, and in time they go back', async () => {
    const first = report(bo, reported);
    const index = await accepted('report', first);
    expect(await accepted('report', first)).toBe(index);
    // Who comes later has no say in it.
    server.present.push(ada.address);
    expect(await refused('report', report(ada, reported))).toEqual([422, 'REPORT_NOT_ACTIVE']);
    expect(await refused('report', report(bo, reported, 'once more'))).toEqual([422, 'REPORT_TWICE']);
    await accepted('report', report(dee, reported, 'stolen'));
    expect(await refused('report', report(chi, reported))).toEqual([422, 'REPORT_SETTLED']);
    expect(await accepted('report', first)).toBe(index);

    server.nowMs += genesis.transfer.reversalDelayMs - 1;
    server.elapse();
    const before = await size();
    server.nowMs += 1;
    server.elapse();
    await expect.poll(size).toBe(before + 1);
    expect(await server.ledger.account(ada.address)).toMatchObject({ availableMicroAlc: '40000' });
    expect(await server.ledger.account(chi.address)).toMatchObject({ pendingMicroAlc: '0' });
  });

  test('is refused where a rule says so', async () => {
    expect(await refused('report', report(ada, reported))).toEqual([422, 'REPORT_NOT_ACTIVE']);
    expect(await refused('report', report(asker, reported))).toEqual([422, 'REPORT_NOT_ACTIVE']);
    expect(await refused('report', report(bo, transfer(ada, 2)))).toEqual([422, 'REPORT_UNKNOWN_TRANSFER']);
    expect(await refused('report', altered(report(bo, reported), -65))).toEqual([422, 'SIGNATURE_INVALID']);
    expect(await refused('report', altered(report(bo, reported), 3))).toEqual([400, 'REPORT_INVALID']);
    server.present = [];
    expect(await refused('report', report(bo, reported))).toEqual([422, 'REPORT_NOT_ACTIVE']);
    server.nowMs += genesis.transfer.reportWindowMs + 1;
    expect(await refused('report', report(bo, reported))).toEqual([422, 'REPORT_TOO_LATE']);
  });
});

describe('a request', () => {
  const post = (payload: unknown, headers = { 'content-type': 'application/json' }) =>
    server.app.inject({ method: 'POST', url: paths.submissions, payload: payload as string, headers });

  test.each([
    ['no JSON', '{'],
    ['another kind', JSON.stringify({ kind: 'reward', signed: '00'.repeat(64) })],
    ['too few bytes', JSON.stringify({ kind: 'transfer', signed: '00'.repeat(63) })],
    ['no hex', JSON.stringify({ kind: 'transfer', signed: 'zz'.repeat(64) })],
    ['more than a submission', JSON.stringify({ kind: 'transfer', signed: '00'.repeat(64), by: 'me' })],
    ['too much', JSON.stringify({ kind: 'transfer', signed: '00'.repeat(4096) })],
  ])('with %s is refused', async (_, payload) => {
    const answer = await post(payload);
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'REQUEST_INVALID']);
  });

  test('may come from any page', async () => {
    const asked = { origin: 'https://example.org', 'access-control-request-method': 'POST' };
    const preflight = await server.app.inject({ method: 'OPTIONS', url: paths.submissions, headers: asked });
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': expect.stringContaining('POST'),
    });
  });

  test('of a wallet that asks too often is told when to come back, and others go on', async () => {
    const { capacity } = SUBMISSION_RATES.perWallet.registration;
    for (let i = 1; i <= capacity; i++) await accepted('registration', registration(ada, i, `ada${i}`));
    const answer = await server.submit('registration', registration(ada, capacity + 1, 'ada'));
    expect([answer.statusCode, answer.json().code]).toEqual([429, 'RATE_LIMITED']);
    expect(Number(answer.headers['retry-after'])).toBe(60);
    await accepted('registration', registration(bo, 1, 'bo1'));
    server.nowMs += 60_000;
    await accepted('registration', registration(ada, capacity + 1, 'ada'));
  });

  test('that is forged is nothing to the wallet it names, and too much of it to whoever sends it', async () => {
    const forged = bytesToHex(altered(transfer(ada, 1), -1));
    const { capacity } = SUBMISSION_RATES.forgeriesPerAddress;
    const send = (remoteAddress: string, signed: string) =>
      server.app.inject({
        method: 'POST',
        url: paths.submissions,
        payload: { kind: 'transfer', signed },
        remoteAddress,
      });
    for (let i = 0; i < capacity; i++) expect((await send('2001:db8::1', forged)).statusCode).toBe(422);
    // The same network.
    expect((await send('2001:db8::2', forged)).json()).toMatchObject({ code: 'RATE_LIMITED' });
    expect((await send('192.0.2.1', bytesToHex(transfer(ada, 1)))).statusCode).toBe(200);
  });
});
