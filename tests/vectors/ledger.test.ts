/** The golden vectors of our own formats: still made by the code, and read back from the file alone. */
import { readFileSync } from 'node:fs';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { expect, test } from 'vitest';
import { Batch } from '../../shared/ledger/batch.ts';
import { openSeal } from '../../shared/ledger/checkpoint.ts';
import { signatureIn } from '../../shared/ledger/entry.ts';
import { decodeGenesis } from '../../shared/ledger/genesis.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { CompactRange, hashLeaf } from '../../shared/ledger/merkle.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { decodeReceipt, encodeReceipt } from '../../shared/ledger/receipt.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { decodeTile } from '../../shared/ledger/tile.ts';
import { decodeSigned, encodeTransaction, isSignedBySender } from '../../shared/ledger/transaction.ts';
import { decodeAddress } from '../../shared/wallet/address.ts';
import { verify } from '../../shared/wallet/public-key.ts';
import { ledgerVectors } from './ledger-vectors.ts';

type Vectors = ReturnType<typeof ledgerVectors>;
const vectors: Vectors = JSON.parse(readFileSync(new URL('ledger.json', import.meta.url), 'utf8'));
const network = networkOf(decodeGenesis(utf8ToBytes(vectors.genesis.text)));

test('the code still makes them', () => {
  expect(ledgerVectors()).toEqual(vectors);
});

test('addresses are those of their keys', () => {
  for (const { publicKey, address } of [...vectors.wallets, ...vectors.keys]) {
    expect(bytesToHex(decodeAddress(address))).toBe(publicKey);
  }
});

test('the network id is that of the genesis bytes', () => {
  expect(bytesToHex(network.id)).toBe(vectors.genesis.networkId);
});

test('transactions and receipts are read from their bytes as they are described, and written the same', () => {
  for (const { bytes, hash, signature, ...described } of vectors.transactions) {
    const signed = decodeSigned(hexToBytes(bytes + signature));
    expect(plain(signed.transaction)).toEqual(described);
    expect(bytesToHex(signed.hash)).toBe(hash);
    expect(isSignedBySender(signed)).toBe(true);
    expect(bytesToHex(encodeTransaction(signed.transaction))).toBe(bytes);
  }
  for (const { bytes, hash, ...described } of vectors.receipts) {
    const receipt = decodeReceipt(hexToBytes(bytes));
    expect(plain(receipt)).toEqual(described);
    expect(bytesToHex(encodeReceipt(receipt))).toBe(bytes);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  }
});

test('replaying the history leads to the signed checkpoint', () => {
  const { steps, checkpoint } = vectors.history;
  const state = LedgerState.empty(network.genesis);
  const log = new LogTree();
  const batch = new Batch(network, { state, log });
  const kinds = new Set<string>();
  for (const { entry, stateHash, root } of steps) {
    const { entry: decoded } = batch.add(hexToBytes(entry));
    kinds.add(decoded.kind);
    expect(bytesToHex(state.hash())).toBe(stateHash);
    expect(bytesToHex(log.root())).toBe(root);
    const signed = signatureIn(decoded);
    if (signed) expect(verify(signed.signature, signed.message, signed.publicKey)).toBe(true);
  }
  expect([...kinds].sort()).toEqual([
    'cosignature',
    'receipt',
    'registration',
    'report',
    'training-receipt',
    'transaction',
  ]);
  expect(state.records().transfers).toMatchObject([{ trouble: 'reversed' }]);
  const sealed = openSeal(
    { bytes: hexToBytes(checkpoint.bytes), signature: hexToBytes(checkpoint.signature) },
    network,
  );
  expect(sealed.size).toBe(steps.length);
  expect(bytesToHex(sealed.stateHash)).toBe(steps.at(-1)!.stateHash);
  expect(bytesToHex(sealed.root)).toBe(steps.at(-1)!.root);
});

test('tiles are read from their bytes', () => {
  for (const { entries, bytes, root } of vectors.tiles) {
    const decoded = decodeTile(hexToBytes(bytes), entries.length);
    expect(decoded.map(bytesToHex)).toEqual(entries);
    const range = new CompactRange();
    for (const entry of decoded) range.append(hashLeaf(entry));
    expect(bytesToHex(range.root())).toBe(root);
  }
});

function plain(record: object): unknown {
  return JSON.parse(
    JSON.stringify(record, (_, value) =>
      value instanceof Uint8Array ? bytesToHex(value) : typeof value === 'bigint' ? String(value) : value,
    ),
  );
}
