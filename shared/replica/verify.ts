/** A whole ledger, replayed from its genesis in memory, trusting nobody. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { openSeal } from '../ledger/checkpoint.ts';
import { decodeTransfer } from '../ledger/records.ts';
import { standing } from '../ledger/standing.ts';
import { createVerifier } from '../wallet/verifier.ts';
import { SAVE_ENTRIES, SHORT_GAP_ENTRIES, SIGNATURES_IN_FLIGHT } from './limits.ts';
import { memoryStores } from './memory-store.ts';
import { openCopy } from './open-copy.ts';
import { readRecords } from './pages.ts';
import { replay } from './replay.ts';
import type { LedgerSource } from './source.ts';

export interface LedgerSummary {
  size: number;
  root: Uint8Array;
  mintedMicroAlc: bigint;
  burnedMicroAlc: bigint;
  treasuryMicroAlc: bigint;
  accounts: number;
  transfers: number;
  confirmed: number;
  reversed: number;
}

export interface VerifyOptions {
  source: Omit<LedgerSource, 'consistency'>;
  /** Unix time. */
  now(): number;
  onProgress?(size: number, target: number): void;
  signal: AbortSignal;
}

/**
 * What the ledger comes to, if every entry keeps every rule and they lead to the signed checkpoint. Throws LEDGER_UNSOUND with the rule that
 * is broken and where; TILE_INVALID, LEDGER_MISMATCH for what was not served as sealed; and what the source throws.
 */
export async function verifyLedger({ source, now, onProgress, signal }: VerifyOptions): Promise<LedgerSummary> {
  const network = await source.network(signal);
  const seal = await source.checkpoint(signal);
  const checkpoint = openSeal(seal, network);
  const store = await memoryStores().open(bytesToHex(network.id));
  const copy = await openCopy({ store, network, publicKey: network.publicKey });
  if (checkpoint.size > 0) {
    const outcome = await replay(
      copy,
      { seal, checkpoint },
      {
        network,
        // Nothing was verified before, so there is nothing to be consistent with.
        source: { ...source, consistency: async () => [] },
        verifier: createVerifier({ inFlight: SIGNATURES_IN_FLIGHT }),
        pace: { shortGap: SHORT_GAP_ENTRIES, save: SAVE_ENTRIES },
        now,
        onProgress: () => onProgress?.(copy.tip.log.size, checkpoint.size),
        signal,
      },
    );
    if (outcome === 'mismatch') throw AiloError.of('LEDGER_MISMATCH', { size: checkpoint.size });
    if (outcome !== 'verified') {
      throw AiloError.of('LEDGER_UNSOUND', { index: outcome.index ?? checkpoint.size, reason: outcome.reason.message });
    }
  }
  const { state } = copy.tip;
  const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = state.totals;
  const [accounts, transfers] = state.counts();
  const found = { confirmed: 0, reversed: 0 };
  // The state forgets what no rule reads any more; the store does not.
  for await (const records of readRecords(store, 'transfer', transfers)) {
    for (const record of records) {
      const stands = standing(network.genesis, decodeTransfer(record), now());
      if (stands === 'confirmed' || stands === 'reversed') found[stands]++;
    }
  }
  return {
    size: checkpoint.size,
    root: checkpoint.root,
    mintedMicroAlc,
    burnedMicroAlc,
    treasuryMicroAlc,
    accounts,
    transfers,
    ...found,
  };
}
