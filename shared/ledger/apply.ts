/** What an entry does to the state, or which rule it breaks. Pure; every replay runs exactly this. */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from './binary.ts';
import type { Entry } from './entry.ts';
import type { Genesis } from './genesis.ts';
import type { Network } from './network.ts';
import type { Totals } from './records.ts';
import { applyReceipt, applyReward } from './reward-rules.ts';
import { epochAt, issuanceRatePpm } from './rewards.ts';
import type { Change, StateView } from './state.ts';
import { applyTransfer } from './transfer-rules.ts';

/**
 * What `entry`, placed next, changes. Throws the error of the first rule it breaks.
 *
 * Signatures are the caller's to check (`isSignedBySender`): replays check thousands at once, and the sequencer need
 * not check its own.
 */
export function applyEntry(network: Network, state: StateView, entry: Entry): Change {
  const { timeMs } = entry;
  if (timeMs < state.totals.timeMs) {
    throw AiloError.of('ENTRY_TIME_BACKWARDS', { timeMs, lastMs: state.totals.timeMs });
  }
  const totals = enterEpoch(network.genesis, state.totals, timeMs);
  if (entry.kind === 'receipt') return applyReceipt(network, state, totals, entry);
  const { transaction } = entry.signed;
  if (!equalBytes(transaction.networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  if (transaction.type === 'transfer') return applyTransfer(network, state, totals, entry);
  if (!equalBytes(transaction.from, network.publicKey)) throw AiloError.of('NOT_FROM_NETWORK', {});
  // A transfer becomes disputed by reports of the active nodes, and reports are no entries of the log yet.
  if (transaction.type === 'reversal') throw AiloError.of('REVERSAL_UNFOUNDED', {});
  return applyReward(network, state, totals, transaction, timeMs);
}

/** The totals at `timeMs`: when an epoch has ended, the next one's rate follows from it. */
function enterEpoch(genesis: Genesis, totals: Readonly<Totals>, timeMs: number): Totals {
  const epoch = epochAt(genesis, timeMs);
  if (epoch === totals.epoch) return { ...totals, timeMs };
  const minted = epoch === totals.epoch + 1 ? totals.epochMintedMicroAlc : 0n;
  return {
    ...totals,
    timeMs,
    epoch,
    epochMintedMicroAlc: 0n,
    epochEarners: 0,
    epochRatePpm: issuanceRatePpm(genesis, { mintedMicroAlc: minted, earners: totals.epochEarners }),
  };
}
