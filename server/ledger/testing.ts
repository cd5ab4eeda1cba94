/** What the ledger's tests share: a network with known keys, results of inferences on it, and what wallets sign. */
import { concatBytes } from '@noble/hashes/utils.js';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import type { Checkpoint, Seal } from '../../shared/ledger/checkpoint.ts';
import { type Cosignature, signCosignature } from '../../shared/ledger/cosignature.ts';
import { defaultGenesis, type Genesis } from '../../shared/ledger/genesis.ts';
import { networkOf } from '../../shared/ledger/network.ts';
import { signRegistration } from '../../shared/ledger/registration.ts';
import { signReport } from '../../shared/ledger/report.ts';
import { decodeSigned, signTransaction, type Transaction } from '../../shared/ledger/transaction.ts';
import { SigningKey, Wallet } from '../../shared/wallet/wallet.ts';
import type { Database } from '../store/database.ts';
import type { CommitPoint } from './committer.ts';
import { LedgerStore } from './store.ts';
import type { InferenceResult } from './types.ts';

export const START_MS = Date.UTC(2026, 0, 1, 12);
export const networkKey = new SigningKey(new Uint8Array(32).fill(200));
export const genesis: Genesis = defaultGenesis(networkKey.publicKey, 'test', START_MS);
/** Wallets 0–9. */
export const wallets = Array.from({ length: 10 }, (_, i) => new Wallet(new Uint8Array(32).fill(i + 1)));

/** The `n`-th inference: asked by wallet 0, computed by wallets 1 to 4 without a latency bonus. */
export function inference(n: number, change: Partial<InferenceResult> = {}): InferenceResult {
  return {
    job: n.toString(16).padStart(32, '0'),
    model: 'stories260k',
    requester: wallets[0]!.address,
    participants: [1, 2, 3, 4].map((i) => ({ address: wallets[i]!.address, start: 3 * i - 3, end: 3 * i })),
    tokens: 200,
    latencyMs: 6000,
    finish: 'length',
    timeMs: START_MS,
    ...change,
  };
}

const network = networkOf(genesis);

/** `bytes ‖ signature` of a transfer of 0.01 ALC to wallet 3, unless changed. */
export function transfer(sender: Wallet, nonce: number, change: Partial<Transaction> = {}): Uint8Array {
  return joined(
    signTransaction(sender, {
      networkId: network.id,
      type: 'transfer',
      from: sender.publicKey,
      to: wallets[3]!.publicKey,
      amountMicroAlc: 10_000n,
      feeMicroAlc: 10_000n,
      nonce,
      timeMs: START_MS,
      reference: ZERO_HASH,
      memo: '',
      ...change,
    }),
  );
}

export function registration(wallet: Wallet, number: number, username: string): Uint8Array {
  const { publicKey } = wallet;
  return joined(signRegistration(wallet, { networkId: network.id, publicKey, number, username }));
}

/** Of the checkpoint, unless changed. */
export function cosignature(
  wallet: Wallet,
  { size, root }: Pick<Checkpoint, 'size' | 'root'>,
  change: Partial<Cosignature> = {},
): Uint8Array {
  return joined(signCosignature(wallet, { networkId: network.id, publicKey: wallet.publicKey, size, root, ...change }));
}

/** @param reported `bytes ‖ signature` of a transfer */
export function report(wallet: Wallet, reported: Uint8Array, reason = 'not mine'): Uint8Array {
  const { hash } = decodeSigned(reported);
  return joined(signReport(wallet, { networkId: network.id, publicKey: wallet.publicKey, transfer: hash, reason }));
}

function joined({ bytes, signature }: Seal): Uint8Array {
  return concatBytes(bytes, signature);
}

/** A stall hook that stops at `point` for good; `reached` resolves when it has. */
export function stopAt(point: CommitPoint) {
  let arrived = () => {};
  const reached = new Promise<void>((resolve) => {
    arrived = resolve;
  });
  const stall = (at: CommitPoint) => {
    if (at !== point) return;
    arrived();
    return new Promise<void>(() => {});
  };
  return { reached, stall };
}

/** A store whose `method` fails the first time, before or after it did its work. */
export function failing(
  database: Database,
  method: 'stage' | 'swap' | 'publish',
  when: 'before' | 'after',
): LedgerStore {
  let failed = false;
  return new Proxy(new LedgerStore(database), {
    get(store, name: keyof LedgerStore) {
      const member = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>;
      if (name !== method) return member;
      return async (...args: unknown[]) => {
        const fail = !failed;
        failed = true;
        if (fail && when === 'before') throw new Error('disk full');
        const value = await member(...args);
        if (fail) throw new Error('connection lost');
        return value;
      };
    },
  });
}
