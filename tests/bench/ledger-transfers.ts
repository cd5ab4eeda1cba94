/** Transfers with real signatures through `Ledger.submit`, on a database file that is written through to the disk. */
import { concatBytes } from '@noble/hashes/utils.js';
import { openLedger } from '../../server/ledger/ledger.ts';
import type { Ledger } from '../../server/ledger/types.ts';
import { openDatabase } from '../../server/store/database.ts';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import { defaultGenesis, type Genesis } from '../../shared/ledger/genesis.ts';
import { MAX_PARTICIPANTS } from '../../shared/ledger/limits.ts';
import { type Network, networkOf } from '../../shared/ledger/network.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import { SigningKey, Wallet } from '../../shared/wallet/wallet.ts';

export interface TransferMeasurement {
  transfers: number;
  transfersPerSecond: number;
  /** From submission to the sealed answer. */
  p50Ms: number;
  p99Ms: number;
  bytesPerTransfer: number;
}

const START_MS = Date.UTC(2026, 0, 1);
const REWARD_MICRO_ALC = 1_000_000_000n;

export async function measureTransfers(options: {
  path: string;
  wallets: number;
  each: number;
}): Promise<TransferMeasurement> {
  const networkKey = new SigningKey(seed(0));
  const defaults = defaultGenesis(networkKey.publicKey, 'bench', START_MS);
  const genesis: Genesis = {
    ...defaults,
    inference: { ...defaults.inference, rewardMicroAlc: String(REWARD_MICRO_ALC), latencyBonusMicroAlc: '0' },
  };
  const wallets = Array.from({ length: options.wallets }, (_, i) => new Wallet(seed(i + 1)));
  const database = await openDatabase(options.path);
  const ledger = await openLedger({ database, networkKey, genesis, now: () => START_MS });
  try {
    await fund(ledger, wallets);
    const network = networkOf(genesis);
    const signed = wallets.map((_, i) => signAll(network, wallets, i, options.each));
    const { size: before } = (await ledger.checkpoint()).checkpoint;
    const latenciesMs: number[] = [];
    const startMs = performance.now();
    await Promise.all(
      signed.map(async (own) => {
        for (const transfer of own) {
          const submittedMs = performance.now();
          await ledger.submit('transfer', transfer);
          latenciesMs.push(performance.now() - submittedMs);
        }
      }),
    );
    const elapsedMs = performance.now() - startMs;
    latenciesMs.sort((a, b) => a - b);
    return {
      transfers: latenciesMs.length,
      transfersPerSecond: Math.round((1000 * latenciesMs.length) / elapsedMs),
      p50Ms: quantile(latenciesMs, 0.5),
      p99Ms: quantile(latenciesMs, 0.99),
      bytesPerTransfer: await bytesPerEntry(ledger, before),
    };
  } finally {
    await ledger.close();
    await database.destroy();
  }
}

/** A reward for each, by inferences that somebody else asked for. */
async function fund(ledger: Ledger, wallets: readonly Wallet[]): Promise<void> {
  const requester = new Wallet(seed(2 ** 31)).address;
  for (let at = 0; at < wallets.length; at += MAX_PARTICIPANTS) {
    const some = wallets.slice(at, at + MAX_PARTICIPANTS);
    await ledger.mintInference({
      job: at.toString(16).padStart(32, '0'),
      model: 'bench',
      requester,
      participants: some.map(({ address }, i) => ({ address, start: i, end: i + 1 })),
      tokens: 100,
      latencyMs: 10_000,
      finish: 'stop',
      timeMs: START_MS,
    });
  }
}

/** The wallet's transfers, each to another of them. */
function signAll(network: Network, wallets: readonly Wallet[], index: number, count: number): Uint8Array[] {
  const wallet = wallets[index]!;
  return Array.from({ length: count }, (_, i) => {
    const { bytes, signature } = signTransaction(wallet, {
      networkId: network.id,
      type: 'transfer',
      from: wallet.publicKey,
      to: wallets[(index + 1 + (i % (wallets.length - 1))) % wallets.length]!.publicKey,
      amountMicroAlc: 1n,
      feeMicroAlc: BigInt(network.genesis.transfer.feeMicroAlc),
      nonce: i + 1,
      timeMs: START_MS,
      reference: ZERO_HASH,
      memo: '',
    });
    return concatBytes(bytes, signature);
  });
}

/** Of the entries from `start` on, with their lengths before them as tiles have it. */
async function bytesPerEntry(ledger: Ledger, start: number): Promise<number> {
  const { size } = (await ledger.checkpoint()).checkpoint;
  let bytes = 0;
  for (let at = start; at < size; ) {
    const entries = await ledger.entries(at, size);
    for (const entry of entries) bytes += 4 + entry.length;
    at += entries.length;
  }
  return Math.round(bytes / (size - start));
}

function quantile(sorted: readonly number[], q: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]! * 10) / 10;
}

function seed(number: number): Uint8Array {
  const bytes = new Uint8Array(32).fill(7);
  new DataView(bytes.buffer).setUint32(0, number);
  return bytes;
}
