/**
 * The rules of a dispute: the first report opens it and fixes who decides; when enough of them reported, the funds are
 * frozen as pending with the recipient, and a reversal by the network returns them to the sender.
 */
import { AiloError } from '../errors/index.ts';
import { isEligible } from './activity.ts';
import { equalBytes } from './binary.ts';
import type { EntryOf } from './entry.ts';
import type { LogView } from './log-view.ts';
import type { Network } from './network.ts';
import type { Account, Dispute, Totals, Transfer } from './records.ts';
import type { Report } from './report.ts';
import type { Change, StateView } from './state.ts';
import type { Transaction } from './transaction.ts';

/** The transfer that may still be reported by this wallet. Throws the error of the first rule in the way. */
export function checkReport(network: Network, state: StateView, report: Report, nowMs: number): Transfer {
  if (!equalBytes(report.networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  const transfer = state.transfer(report.transfer);
  if (!transfer) throw AiloError.of('REPORT_UNKNOWN_TRANSFER', {});
  if (transfer.trouble === 'disputed' || transfer.trouble === 'reversed') throw AiloError.of('REPORT_SETTLED', {});
  const { reportWindowMs } = network.genesis.transfer;
  if (nowMs > transfer.timeMs + reportWindowMs) throw AiloError.of('REPORT_TOO_LATE', { windowMs: reportWindowMs });
  const dispute = state.dispute(report.transfer);
  const place = state.placeOf(report.publicKey);
  if (dispute && (place === undefined || !dispute.activeSet.includes(place)))
    throw AiloError.of('REPORT_NOT_ACTIVE', {});
  if (dispute?.reporters.includes(place!)) throw AiloError.of('REPORT_TWICE', {});
  return transfer;
}

export function applyReport(
  network: Network,
  state: StateView,
  log: LogView,
  totals: Totals,
  { signed: { report }, activeSet, timeMs }: EntryOf<'report'>,
): Change {
  const transfer = checkReport(network, state, report, timeMs);
  const before = state.dispute(report.transfer) ?? opened(network, state, report, activeSet, timeMs);
  if (before.reporters.length > 0 && activeSet.length > 0) {
    throw AiloError.of('ACTIVE_SET_INVALID', { reason: 'it was fixed by the first report' });
  }
  const reporters = [...before.reporters, state.placeOf(report.publicKey)!];
  const enough = reporters.length * 1000 >= network.genesis.transfer.reportPermille * before.activeSet.length;
  const reports = [...before.reports, log.size];
  const dispute = { ...before, reporters, reports, disputedMs: enough ? timeMs : 0 };
  return {
    accounts: enough ? frozen(state, transfer) : [],
    transfers: [{ ...transfer, trouble: enough ? 'disputed' : 'reported' }],
    disputes: [dispute],
    totals,
  };
}

function opened(network: Network, state: StateView, report: Report, activeSet: number[], timeMs: number): Dispute {
  const wrong = (reason: string) => AiloError.of('ACTIVE_SET_INVALID', { reason });
  if (activeSet.length === 0) throw wrong('nobody is in it');
  for (const place of activeSet) {
    if (!isEligible(network.genesis, state.accountAt(place), timeMs))
      throw wrong(`account ${place} has not worked lately`);
  }
  const place = state.placeOf(report.publicKey);
  if (place === undefined || !activeSet.includes(place)) throw AiloError.of('REPORT_NOT_ACTIVE', {});
  return { transfer: report.transfer, activeSet, reporters: [], reports: [], disputedMs: 0 };
}

/** What was confirmed goes back to pending, even where the recipient has spent it: then his balance is below zero. */
function frozen(state: StateView, { to, amountMicroAlc, confirmed }: Transfer): Account[] {
  if (!confirmed) return [];
  const recipient = state.account(to)!;
  return [
    {
      ...recipient,
      availableMicroAlc: recipient.availableMicroAlc - amountMicroAlc,
      pendingMicroAlc: recipient.pendingMicroAlc + amountMicroAlc,
    },
  ];
}

/** The network returns a disputed transfer's amount; the fee stays where it went. */
export function applyReversal(
  network: Network,
  state: StateView,
  before: Totals,
  transaction: Transaction,
  timeMs: number,
): Change {
  const { reference, amountMicroAlc, nonce } = transaction;
  const transfer = state.transfer(reference);
  const dispute = state.dispute(reference);
  if (!transfer || !dispute || transfer.trouble !== 'disputed') throw AiloError.of('REVERSAL_UNFOUNDED', {});
  const dueMs = dispute.disputedMs + network.genesis.transfer.reversalDelayMs;
  if (timeMs < dueMs) throw AiloError.of('REVERSAL_EARLY', { dueMs });
  const wrong = (reason: string) => AiloError.of('REVERSAL_WRONG', { reason });
  if (!equalBytes(transaction.to, transfer.from)) throw wrong('it goes to another wallet than the sender');
  if (amountMicroAlc !== transfer.amountMicroAlc) throw wrong('its amount is another');
  if (transaction.feeMicroAlc !== 0n || transaction.memo !== '') throw wrong('it has a fee or a memo');
  if (transaction.timeMs !== timeMs) throw wrong('its time is not that of its place in the log');
  const expected = before.networkNonce + 1;
  if (nonce !== expected) throw AiloError.of('NONCE_WRONG', { nonce, expected });
  const [sender, recipient] = [state.account(transfer.from)!, state.account(transfer.to)!];
  return {
    accounts: [
      { ...sender, availableMicroAlc: sender.availableMicroAlc + amountMicroAlc },
      { ...recipient, pendingMicroAlc: recipient.pendingMicroAlc - amountMicroAlc },
    ],
    transfers: [{ ...transfer, trouble: 'reversed' }],
    totals: { ...before, networkNonce: expected },
  };
}
