/**
 * The rules for rewards. A receipt makes the entries that follow it: one reward for each wallet it pays, in its order
 * and of exactly the amount that anybody computes from it.
 */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from './binary.ts';
import type { EntryOf } from './entry.ts';
import type { Genesis } from './genesis.ts';
import { MAX_MICRO_ALC } from './limits.ts';
import type { Network } from './network.ts';
import { accountOf, checkRecipient } from './parties.ts';
import type { Totals } from './records.ts';
import { checkLength, epochAt, inferenceReward, paidWallets, trainingReward, useQuota } from './rewards.ts';
import type { Change, DueReward, StateView } from './state.ts';
import type { Transaction } from './transaction.ts';

export function applyReceipt(
  network: Network,
  state: StateView,
  totals: Totals,
  { receipt, hash, timeMs }: EntryOf<'receipt'>,
): Change {
  const { genesis } = network;
  const requester = accountOf(state, receipt.requester);
  const expected = requester.receipts + 1;
  if (receipt.number !== expected) throw AiloError.of('RECEIPT_NUMBER_WRONG', { number: receipt.number, expected });
  checkTime(genesis, receipt.timeMs, timeMs);
  checkRecipient(network, state, receipt.requester);
  checkLength(genesis, receipt);
  const paid = paidWallets(receipt);
  for (const wallet of paid) checkRecipient(network, state, wallet);
  const amountMicroAlc = inferenceReward(genesis, receipt.latencyMs, totals.epochRatePpm);
  if (totals.mintedMicroAlc + BigInt(paid.length) * amountMicroAlc > MAX_MICRO_ALC) {
    throw AiloError.of('SUPPLY_EXHAUSTED', {});
  }
  return {
    accounts: [{ ...requester, receipts: expected, ...useQuota(genesis, requester, timeMs) }],
    totals,
    due: paid.map((to) => ({ type: 'inference-reward', to, amountMicroAlc, reference: hash })),
  };
}

export function applyTrainingReceipt(
  network: Network,
  state: StateView,
  totals: Totals,
  { receipt, hash, timeMs }: EntryOf<'training-receipt'>,
): Change {
  const { genesis } = network;
  const account = accountOf(state, receipt.wallet);
  const expected = account.trainings + 1;
  if (receipt.number !== expected) throw AiloError.of('RECEIPT_NUMBER_WRONG', { number: receipt.number, expected });
  checkTime(genesis, receipt.timeMs, timeMs);
  checkRecipient(network, state, receipt.wallet);
  const { maxSequences } = genesis.training;
  if (receipt.sequences > maxSequences) throw AiloError.of('RECEIPT_TOO_LARGE', { maxSequences });
  const amountMicroAlc = trainingReward(genesis, receipt, totals.epochRatePpm);
  if (totals.mintedMicroAlc + amountMicroAlc > MAX_MICRO_ALC) throw AiloError.of('SUPPLY_EXHAUSTED', {});
  return {
    accounts: [{ ...account, trainings: expected }],
    totals,
    due: [{ type: 'training-reward', to: account.publicKey, amountMicroAlc, reference: hash }],
  };
}

function checkTime(genesis: Genesis, receiptMs: number, entryMs: number): void {
  const aheadMs = receiptMs - entryMs;
  if (aheadMs > genesis.transfer.clockToleranceMs) throw AiloError.of('TIME_IN_FUTURE', { aheadMs });
}

export function applyReward(
  network: Network,
  state: StateView,
  totals: Totals,
  transaction: Transaction,
  timeMs: number,
): Change {
  const [due, ...rest] = state.due;
  if (!due) throw AiloError.of('REWARD_WITHOUT_RECEIPT', {});
  checkReward(transaction, due, timeMs);
  const expected = totals.networkNonce + 1;
  if (transaction.nonce !== expected) throw AiloError.of('NONCE_WRONG', { nonce: transaction.nonce, expected });
  const { amountMicroAlc } = due;
  const account = accountOf(state, due.to);
  const earnedBefore = account.lastWorkMs > 0 && epochAt(network.genesis, account.lastWorkMs) === totals.epoch;
  return {
    accounts: [{ ...account, availableMicroAlc: account.availableMicroAlc + amountMicroAlc, lastWorkMs: timeMs }],
    totals: {
      ...totals,
      networkNonce: expected,
      mintedMicroAlc: totals.mintedMicroAlc + amountMicroAlc,
      epochMintedMicroAlc: totals.epochMintedMicroAlc + amountMicroAlc,
      epochEarners: totals.epochEarners + (earnedBefore ? 0 : 1),
    },
    due: rest,
  };
}

function checkReward(transaction: Transaction, due: DueReward, timeMs: number): void {
  const wrong = (reason: string) => AiloError.of('REWARD_WRONG', { reason });
  if (transaction.type !== due.type) throw wrong('it is of another type');
  if (!equalBytes(transaction.reference, due.reference)) throw wrong('it names another receipt');
  if (!equalBytes(transaction.to, due.to)) throw wrong('it goes to another wallet than the next to be paid');
  if (transaction.amountMicroAlc !== due.amountMicroAlc) throw wrong('its amount is another');
  if (transaction.feeMicroAlc !== 0n || transaction.memo !== '') throw wrong('it has a fee or a memo');
  if (transaction.timeMs !== timeMs) throw wrong('its time is not that of its place in the log');
}
