/** What the ledger's tests share: a network with known keys, and results of inferences on it. */
import { defaultGenesis, type Genesis } from '../../shared/ledger/genesis.ts';
import { SigningKey, Wallet } from '../../shared/wallet/wallet.ts';
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
