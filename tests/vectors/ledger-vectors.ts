/** Golden vectors of the wallet's and the ledger's formats. Bytes in hex, amounts as decimal strings. No Node. */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { Batch } from '../../shared/ledger/batch.ts';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import { sealCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { signCosignature } from '../../shared/ledger/cosignature.ts';
import {
  encodeReceiptEntry,
  encodeReportEntry,
  encodeSignedEntry,
  encodeTrainingReceiptEntry,
  encodeTransactionEntry,
} from '../../shared/ledger/entry.ts';
import { defaultGenesis, encodeGenesis } from '../../shared/ledger/genesis.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { hashLeaf } from '../../shared/ledger/merkle.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { encodeReceipt, type InferenceReceipt, receiptHash } from '../../shared/ledger/receipt.ts';
import { encodeAccount, encodeDispute, encodeTotals, encodeTransfer } from '../../shared/ledger/records.ts';
import { signRegistration } from '../../shared/ledger/registration.ts';
import { signReport } from '../../shared/ledger/report.ts';
import { inferenceReward, issuanceRatePpm } from '../../shared/ledger/rewards.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { encodeTile } from '../../shared/ledger/tile.ts';
import { signTransaction, type Transaction } from '../../shared/ledger/transaction.ts';
import { authenticationBytes, signAuthentication } from '../../shared/wallet/authentication.ts';
import { createWallet, DERIVATION_PATH, SigningKey, Wallet } from '../../shared/wallet/wallet.ts';

const START_MS = Date.UTC(2026, 0, 1);
const secretOf = (name: string) => sha256(utf8ToBytes(name));
const networkKey = new SigningKey(secretOf('network'));
const network = networkOf(defaultGenesis(networkKey.publicKey, 'golden', START_MS));
const [alice, bob, carol, dave] = ['alice', 'bob', 'carol', 'dave'].map((name) => new Wallet(secretOf(name))) as [
  Wallet,
  Wallet,
  Wallet,
  Wallet,
];

export function ledgerVectors() {
  return {
    wallets: [
      'abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about',
      'legal winner thank year wave sausage worth useful legal winner thank yellow',
    ].map((words) => {
      const { publicKey, address } = createWallet(words);
      return { words, path: DERIVATION_PATH, publicKey: bytesToHex(publicKey), address };
    }),
    keys: ['network', 'alice', 'bob', 'carol', 'dave'].map((name) => {
      const { publicKey, address } = new Wallet(secretOf(name));
      return { name, secretKey: bytesToHex(secretOf(name)), publicKey: bytesToHex(publicKey), address };
    }),
    authentication: authentication(),
    genesis: { text: new TextDecoder().decode(encodeGenesis(network.genesis)), networkId: bytesToHex(network.id) },
    transactions: transactions(),
    receipts: [receipt(1), receipt(2, { finish: 'stop', tokens: 1, latencyMs: 0, model: 'Qwen1.5-1.8B' })].map(
      (one) => ({
        ...describe(one),
        bytes: bytesToHex(encodeReceipt(one)),
        hash: bytesToHex(receiptHash(encodeReceipt(one))),
      }),
    ),
    rewards: [0, 1, 2500, 4999, 5000, 60_000].flatMap((latencyMs) =>
      [1_000_000, 500_000, 333_333].map((ratePpm) => ({
        latencyMs,
        ratePpm,
        microAlc: String(inferenceReward(network.genesis, latencyMs, ratePpm)),
      })),
    ),
    issuance: [
      [0n, 0],
      [10_000_000n, 1],
      [10_000_001n, 1],
      [15_000_000n, 1],
      [1_000_000_000n, 3],
    ].map(([mintedMicroAlc, earners]) => ({
      mintedMicroAlc: String(mintedMicroAlc),
      earners: Number(earners),
      ratePpm: issuanceRatePpm(network.genesis, { mintedMicroAlc: BigInt(mintedMicroAlc!), earners: Number(earners) }),
    })),
    history: history(),
    tiles: tiles(),
  };
}

/** Tiles hold any bytes: an entry of one, one whose length takes two bytes, a few more; and a tile of one entry. */
function tiles() {
  const entries = [1, 300, 32, 7].map((length, i) => new Uint8Array(length).fill(i + 1));
  return [entries, entries.slice(1, 2)].map((some) => {
    const range = new LogTree();
    for (const entry of some) range.append(hashLeaf(entry));
    return { entries: some.map(bytesToHex), bytes: bytesToHex(encodeTile(some)), root: bytesToHex(range.root()) };
  });
}

function authentication() {
  const challenge = { networkId: bytesToHex(network.id), nonce: bytesToHex(sha256(utf8ToBytes('nonce'))) };
  const bytes = authenticationBytes(network.id, hexToBytes(challenge.nonce), alice.publicKey);
  return { ...challenge, bytes: bytesToHex(bytes), ...signAuthentication(alice, challenge) };
}

function transactions() {
  const base = { networkId: network.id, from: networkKey.publicKey, to: alice.publicKey, feeMicroAlc: 0n, memo: '' };
  const reference = sha256(utf8ToBytes('reference'));
  const all: [SigningKey, Transaction][] = [
    [networkKey, { ...base, type: 'training-reward', amountMicroAlc: 100_000n, nonce: 1, timeMs: START_MS, reference }],
    [
      networkKey,
      { ...base, type: 'inference-reward', amountMicroAlc: 50_000n, nonce: 2, timeMs: START_MS + 1, reference },
    ],
    [alice, transfer(2n ** 63n - 1n, 2 ** 53 - 1, 'x'.repeat(64))],
    [alice, transfer(1n, 1, 'für Bob ☕')],
    [networkKey, { ...base, type: 'reversal', amountMicroAlc: 1n, nonce: 3, timeMs: START_MS, reference }],
  ];
  return all.map(([key, transaction]) => {
    const { bytes, hash, signature } = signTransaction(key, transaction);
    return {
      ...describe(transaction),
      bytes: bytesToHex(bytes),
      hash: bytesToHex(hash),
      signature: bytesToHex(signature),
    };
  });
}

function transfer(amountMicroAlc: bigint, nonce: number, memo: string): Transaction {
  return {
    networkId: network.id,
    type: 'transfer',
    from: alice.publicKey,
    to: bob.publicKey,
    amountMicroAlc,
    feeMicroAlc: 10_000n,
    nonce,
    timeMs: START_MS + 2000,
    reference: ZERO_HASH,
    memo,
  };
}

function receipt(number: number, change: Partial<InferenceReceipt> = {}): InferenceReceipt {
  return {
    job: sha256(utf8ToBytes(`job ${number}`)).slice(0, 16),
    requester: carol.publicKey,
    number,
    timeMs: START_MS + 1000,
    tokens: 200,
    latencyMs: 6000,
    finish: 'length',
    model: 'stories260k',
    participants: [
      { publicKey: alice.publicKey, start: 0, end: 6 },
      { publicKey: bob.publicKey, start: 6, end: 12 },
    ],
    ...change,
  };
}

/** A short history: what each entry is, and the root, state hash and records that it leads to. */
function history() {
  const state = LedgerState.empty(network.genesis);
  const log = new LogTree();
  const batch = new Batch(network, { state, log });
  const steps: { entry: string; leafHash: string; root: string; stateHash: string; totals: string }[] = [];
  const add = (bytes: Uint8Array) => {
    batch.add(bytes);
    steps.push({
      entry: bytesToHex(bytes),
      leafHash: bytesToHex(hashLeaf(bytes)),
      root: bytesToHex(log.root()),
      stateHash: bytesToHex(state.hash()),
      totals: bytesToHex(encodeTotals(state.totals)),
    });
  };
  const pay = (timeMs: number, one: InferenceReceipt) => {
    add(encodeReceiptEntry(timeMs, one));
    for (let due = state.due[0]; due; due = state.due[0]) {
      const nonce = state.totals.networkNonce + 1;
      const reward: Transaction = {
        ...due,
        networkId: network.id,
        from: networkKey.publicKey,
        feeMicroAlc: 0n,
        nonce,
        timeMs,
        memo: '',
      };
      add(encodeTransactionEntry(timeMs, signTransaction(networkKey, reward)));
    }
  };
  const empty = { root: bytesToHex(log.root()), stateHash: bytesToHex(state.hash()) };
  pay(START_MS + 1000, receipt(1));
  add(encodeTransactionEntry(START_MS + 2000, signTransaction(alice, transfer(30_000n, 1, 'golden'))));
  // In the next epoch.
  const workers = [alice, bob, dave].map(({ publicKey }, i) => ({ publicKey, start: 4 * i, end: 4 * i + 4 }));
  pay(START_MS + 86_400_000, receipt(2, { latencyMs: 2500, participants: workers }));
  vote(add, state, log);
  train(add, state);
  const seal = sealCheckpoint(networkKey, {
    networkId: network.id,
    size: log.size,
    root: log.root(),
    stateHash: state.hash(),
    timeMs: state.totals.timeMs,
  });
  const records = state.records();
  return {
    empty,
    steps,
    accounts: records.accounts.map((account) => bytesToHex(encodeAccount(account))),
    transfers: records.transfers.map((transfer) => bytesToHex(encodeTransfer(transfer))),
    disputes: records.disputes.map((dispute) => bytesToHex(encodeDispute(dispute))),
    checkpoint: { bytes: bytesToHex(seal.bytes), signature: bytesToHex(seal.signature) },
  };
}

/** Carol is paid for an update. */
function train(add: (bytes: Uint8Array) => void, state: LedgerState): void {
  const timeMs = START_MS + 86_420_000;
  const receipt = {
    unit: sha256(utf8ToBytes('unit 1')).slice(0, 16),
    wallet: carol.publicKey,
    number: 1,
    timeMs,
    round: 7,
    sequences: 8,
    rank: 2,
    ranked: 3,
    lossBeforeMicroNats: 1_930_000,
    lossAfterMicroNats: 1_910_000,
    latencyMs: 42_000,
    campaign: 'nano-char',
  };
  add(encodeTrainingReceiptEntry(timeMs, receipt));
  const reward: Transaction = {
    ...state.due[0]!,
    networkId: network.id,
    from: networkKey.publicKey,
    feeMicroAlc: 0n,
    nonce: state.totals.networkNonce + 1,
    timeMs,
    memo: '',
  };
  add(encodeTransactionEntry(timeMs, signTransaction(networkKey, reward)));
}

/** A name is taken, and alice's transfer is verified by one, reported by two of three, and reversed. */
function vote(add: (bytes: Uint8Array) => void, state: LedgerState, log: LogTree): void {
  const timeMs = START_MS + 86_401_000;
  const common = { networkId: network.id };
  const named = signRegistration(carol, { ...common, publicKey: carol.publicKey, number: 1, username: 'carol' });
  add(encodeSignedEntry('registration', timeMs, named));
  const covered = { ...common, publicKey: dave.publicKey, size: log.size, root: log.root() };
  add(encodeSignedEntry('cosignature', timeMs, signCosignature(dave, covered)));
  const [{ hash, from, amountMicroAlc }] = state.records().transfers as [
    ReturnType<typeof state.records>['transfers'][0],
  ];
  const places = [alice, bob, dave].map(({ publicKey }) => state.placeOf(publicKey)!).sort((a, b) => a - b);
  for (const [i, wallet] of [dave, alice].entries()) {
    const report = { ...common, publicKey: wallet.publicKey, transfer: hash, reason: 'gestohlen ☠' };
    add(encodeReportEntry(timeMs, signReport(wallet, report), i === 0 ? places : []));
  }
  const reversal = signTransaction(networkKey, {
    ...common,
    type: 'reversal',
    from: networkKey.publicKey,
    to: from,
    amountMicroAlc,
    feeMicroAlc: 0n,
    nonce: state.totals.networkNonce + 1,
    timeMs: timeMs + 10_000,
    reference: hash,
    memo: '',
  });
  add(encodeTransactionEntry(timeMs + 10_000, reversal));
}

/** Plain JSON of a record: bytes as hex, amounts as strings. */
function describe(record: object): Record<string, unknown> {
  return JSON.parse(
    JSON.stringify(record, (_, value) =>
      value instanceof Uint8Array ? bytesToHex(value) : typeof value === 'bigint' ? String(value) : value,
    ),
  );
}
