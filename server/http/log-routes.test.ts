/** What somebody needs who believes nobody: the log, its checkpoint, and proofs between them. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openSeal } from '../../shared/ledger/checkpoint.ts';
import { decodeEntry } from '../../shared/ledger/entry.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import { verifyConsistency, verifyInclusion } from '../../shared/ledger/merkle-proof.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { decodeTile, tileSpans } from '../../shared/ledger/tile.ts';
import { decodeSigned } from '../../shared/ledger/transaction.ts';
import { CheckpointResponse, ConsistencyResponse, paths, TransactionResponse } from '../../shared/protocol/http.ts';
import { signedHash } from '../ledger/publish.ts';
import { cosignature, genesis, inference, report, transfer, wallets } from '../ledger/testing.ts';
import { openTestServer, type TestServer } from './testing.ts';

const INFERENCES = 110;
let server: TestServer;
/** What is in the log, as somebody has it who downloaded all of it. */
let entries: Uint8Array[];
const transferred = transfer(wallets[1]!, 1);

beforeAll(async () => {
  server = await openTestServer();
  const asked = Array.from({ length: INFERENCES }, (_, n) =>
    inference(n, { requester: wallets[n % 2 ? 0 : 5]!.address }),
  );
  await Promise.all(asked.map((result) => server.ledger.mintInference(result)));
  await server.submit('transfer', transferred);
  const { checkpoint } = await server.ledger.checkpoint();
  await server.submit('cosignature', cosignature(wallets[2]!, checkpoint));
  await server.submit('cosignature', cosignature(wallets[4]!, checkpoint));
  server.present = [2, 4].map((i) => wallets[i]!.address);
  await server.submit('report', report(wallets[2]!, transferred, 'sent by mistake'));
  const { size } = v.parse(CheckpointResponse, (await server.get(paths.checkpoint)).json());
  entries = [];
  for (const { index, width } of tileSpans(0, size, size)) {
    const path = width === TILE_ENTRIES ? paths.tile(index) : paths.partialTile(index, width);
    entries.push(...decodeTile(new Uint8Array((await server.get(path)).rawPayload), width));
  }
});
afterAll(() => server.close());

const size = () => 5 * INFERENCES + 4;
const rootOf = (count: number) => {
  const range = new CompactRange();
  for (const entry of entries.slice(0, count)) range.append(hashLeaf(entry));
  return range.root();
};

test('the tiles are the log that the checkpoint seals', async () => {
  const answer = await server.get(paths.checkpoint);
  const { bytes, signature, ...readable } = v.parse(CheckpointResponse, answer.json());
  const seal = { bytes: hexToBytes(bytes), signature: hexToBytes(signature) };
  const checkpoint = openSeal(seal, networkOf(genesis));
  expect(readable).toMatchObject({ size: size(), root: bytesToHex(checkpoint.root) });
  expect([entries.length, rootOf(entries.length)]).toEqual([checkpoint.size, checkpoint.root]);
});

test('a checkpoint is asked for anew, and not sent again', async () => {
  const first = await server.get(paths.checkpoint);
  expect(first.headers['cache-control']).toBe('no-cache');
  const again = await server.get(paths.checkpoint, { 'if-none-match': String(first.headers.etag) });
  expect([again.statusCode, again.body]).toEqual([304, '']);
  expect((await server.get(paths.checkpoint, { 'if-none-match': '"another"' })).statusCode).toBe(200);
});

/** The report's, which is in the log, too. */
function reportHash(bytes: Uint8Array): string {
  const entry = decodeEntry(bytes);
  if (entry.kind !== 'report') throw new Error('the last entry is the report');
  return bytesToHex(signedHash(entry));
}

describe('a tile', () => {
  test('is bytes for ever, whole or its beginning', async () => {
    for (const [path, first, width] of [
      [paths.tile(1), 256, 256],
      [paths.partialTile(0, 3), 0, 3],
      [paths.partialTile(2, 42), 512, 42],
      [paths.partialTile(0, 256), 0, 256],
    ] as const) {
      const answer = await server.get(path);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'cache-control': 'public, max-age=31536000, immutable',
        'access-control-allow-origin': '*',
      });
      expect(decodeTile(new Uint8Array(answer.rawPayload), width)).toEqual(entries.slice(first, first + width));
    }
  });

  test.each([paths.tile(2), paths.partialTile(2, 43), paths.tile(3), paths.tile(35184372088830)])(
    'beyond the checkpoint is not there, and will not be remembered so: %s',
    async (path) => {
      const answer = await server.get(path);
      expect([answer.statusCode, answer.json().code]).toEqual([404, 'NOT_FOUND']);
      expect(answer.headers['cache-control']).toBeUndefined();
    },
  );

  test.each([
    paths.tile('x'),
    paths.tile(-1),
    paths.partialTile(0, 0),
    paths.partialTile(0, 257),
    paths.tile('9'.repeat(15)),
  ])('that cannot be is refused: %s', async (path) => {
    const answer = await server.get(path);
    expect([answer.statusCode, answer.json().code]).toEqual([400, 'REQUEST_INVALID']);
  });
});

describe('a consistency proof', () => {
  const proof = (from: number | string, to: number | string) =>
    server.get(`${paths.consistency}?from=${from}&to=${to}`);

  test('shows that one log begins the other', async () => {
    const sizes = [1, 2, 255, 256, 257, 400, 512, 513, size()];
    for (const from of sizes) {
      for (const to of sizes.filter((each) => each >= from)) {
        const answer = v.parse(ConsistencyResponse, (await proof(from, to)).json());
        const [older, newer] = [from, to].map((count) => ({ size: count, root: rootOf(count) })) as [Size, Size];
        expect(verifyConsistency(older, newer, answer.proof.map(hexToBytes))).toBe(true);
        if (from < to)
          expect(verifyConsistency({ ...older, root: newer.root }, newer, answer.proof.map(hexToBytes))).toBe(false);
      }
    }
  });

  interface Size {
    size: number;
    root: Uint8Array;
  }

  test('reaches no further than the checkpoint, and back to one entry', async () => {
    expect((await proof(1, size() + 1)).json()).toMatchObject({ code: 'NOT_FOUND' });
    for (const [from, to] of [
      [0, 5],
      [6, 5],
      ['', 5],
      [1, ''],
    ] as const) {
      expect((await proof(from, to)).json()).toMatchObject({ code: 'REQUEST_INVALID' });
    }
  });
});

describe('a transaction', () => {
  async function transaction(hash: string) {
    const answer = v.parse(TransactionResponse, (await server.get(paths.transaction(hash))).json());
    const { entry, path, checkpoint } = answer.proof;
    const leaf = { index: answer.index, hash: hashLeaf(hexToBytes(entry)) };
    expect(verifyInclusion(leaf, checkpoint.size, path.map(hexToBytes), hexToBytes(checkpoint.root))).toBe(true);
    expect(hexToBytes(entry)).toEqual(entries[answer.index]);
    return answer;
  }

  test('comes with the proof that it is in the log', async () => {
    for (const index of [1, 254, 256, 300, 511, 512, 549]) {
      const entry = decodeEntry(entries[index]!);
      if (entry.kind !== 'transaction') continue;
      const known = await transaction(bytesToHex(entry.signed.hash));
      expect(known).toMatchObject({ index, type: 'inference-reward', state: 'confirmed', verifiers: [] });
      expect(known).not.toHaveProperty('dispute');
    }
  });

  test('that was verified and reported says by whom', async () => {
    const { hash } = decodeSigned(transferred);
    const addresses = [2, 4].map((i) => wallets[i]!.address);
    expect(await transaction(bytesToHex(hash))).toMatchObject({
      from: wallets[1]!.address,
      state: 'reported',
      confirmations: 2,
      verifiers: addresses,
      dispute: {
        activeNodes: 2,
        needed: 2,
        reports: [{ address: addresses[0], reason: 'sent by mistake', timeMs: server.nowMs }],
      },
    });
    const { transactions } = await server.ledger.transactions(wallets[1]!.address, { limit: 1 });
    expect(transactions[0]).toMatchObject({ state: 'reported', confirmations: 2 });
  });

  test('that is none is not there', async () => {
    const hash = reportHash(entries.at(-1)!);
    for (const name of ['0'.repeat(64), hash]) {
      expect((await server.get(paths.transaction(name))).json()).toMatchObject({ code: 'NOT_FOUND' });
    }
    expect((await server.get(paths.transaction('x'))).json()).toMatchObject({ code: 'REQUEST_INVALID' });
  });
});
