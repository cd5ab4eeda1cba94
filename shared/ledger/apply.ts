/** What an entry does to the state, or which rule it breaks. Pure; every replay runs exactly this. */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from './binary.ts';
import { applyCosignature } from './cosignature-rules.ts';
import type { Entry, EntryOf } from './entry.ts';
import type { Genesis } from './genesis.ts';
import type { LogView } from './log-view.ts';
import type { Network } from './network.ts';
import type { Totals } from './records.ts';
import { applyRegistration } from './registration-rules.ts';
import { applyReport, applyReversal } from './report-rules.ts';
import { applyReceipt, applyReward, applyTrainingReceipt } from './reward-rules.ts';
import { epochAt, issuanceRatePpm } from './rewards.ts';
import type { Change, StateView } from './state.ts';
import { applyTransfer } from './transfer-rules.ts';

/**
 * What `entry`, placed next, changes. Throws the error of the first rule it breaks.
 *
 * Signatures are the caller's to check (`signatureIn`): replays check thousands at once, and the sequencer need not
 * check its own.
 */
export function applyEntry(network: Network, state: StateView, log: LogView, entry: Entry): Change {
  const { timeMs } = entry;
  if (timeMs < state.totals.timeMs) {
    throw AiloError.of('ENTRY_TIME_BACKWARDS', { timeMs, lastMs: state.totals.timeMs });
  }
  const totals = enterEpoch(network.genesis, state.totals, timeMs);
  if (state.due.length > 0 && !isReward(entry)) throw AiloError.of('REWARD_MISSING', {});
  switch (entry.kind) {
    case 'transaction':
      return applyTransaction(network, state, log, totals, entry);
    case 'receipt':
      return applyReceipt(network, state, totals, entry);
    case 'training-receipt':
      return applyTrainingReceipt(network, state, totals, entry);
    case 'registration':
      return applyRegistration(network, state, totals, entry);
    case 'cosignature':
      return applyCosignature(network, state, log, totals, entry);
    case 'report':
      return applyReport(network, state, log, totals, entry);
  }
}

function applyTransaction(
  network: Network,
  state: StateView,
  log: LogView,
  totals: Totals,
  entry: EntryOf<'transaction'>,
): Change {
  const { transaction } = entry.signed;
  if (!equalBytes(transaction.networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  if (transaction.type === 'transfer') return applyTransfer(network, state, log, totals, entry);
  if (!equalBytes(transaction.from, network.publicKey)) throw AiloError.of('NOT_FROM_NETWORK', {});
  return transaction.type === 'reversal'
    ? applyReversal(network, state, totals, transaction, entry.timeMs)
    : applyReward(network, state, totals, transaction, entry.timeMs);
}

/** Nothing may come between a receipt and what it pays. */
function isReward(entry: Entry): boolean {
  return entry.kind === 'transaction' && entry.signed.transaction.type.endsWith('-reward');
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
