/** The rules for transfers. */
import { AiloError } from '../errors/index.ts';
import { equalBytes, ZERO_HASH } from './binary.ts';
import type { EntryOf } from './entry.ts';
import type { LogView } from './log-view.ts';
import type { Network } from './network.ts';
import { accountOf, checkRecipient } from './parties.ts';
import type { Totals } from './records.ts';
import type { Change, StateView } from './state.ts';
import type { Transaction } from './transaction.ts';

/** Checks everything about a transfer but its signature. Throws the error of the first rule it breaks. */
export function checkTransfer(network: Network, state: StateView, transaction: Transaction, nowMs: number): void {
  const { from, to, amountMicroAlc, feeMicroAlc, nonce, timeMs, reference } = transaction;
  const { feeMicroAlc: fee, clockToleranceMs } = network.genesis.transfer;
  if (!equalBytes(transaction.networkId, network.id)) throw AiloError.of('NETWORK_MISMATCH', {});
  if (!equalBytes(reference, ZERO_HASH)) {
    throw AiloError.of('TRANSACTION_INVALID', { reason: 'a transfer refers to nothing' });
  }
  if (equalBytes(from, to)) throw AiloError.of('TRANSFER_TO_SELF', {});
  checkRecipient(network, state, to);
  if (amountMicroAlc <= 0n) throw AiloError.of('AMOUNT_ZERO', {});
  if (feeMicroAlc !== BigInt(fee)) throw AiloError.of('FEE_WRONG', { feeMicroAlc, expectedMicroAlc: BigInt(fee) });
  if (timeMs > nowMs + clockToleranceMs) throw AiloError.of('TIME_IN_FUTURE', { aheadMs: timeMs - nowMs });
  const sender = state.account(from);
  const expected = (sender?.nonce ?? 0) + 1;
  if (nonce !== expected) throw AiloError.of('NONCE_WRONG', { nonce, expected });
  const availableMicroAlc = sender?.availableMicroAlc ?? 0n;
  const neededMicroAlc = amountMicroAlc + feeMicroAlc;
  if (availableMicroAlc < neededMicroAlc) {
    throw AiloError.of('BALANCE_INSUFFICIENT', { availableMicroAlc, neededMicroAlc });
  }
}

/** The amount leaves the sender at once and waits, pending, with the recipient. */
export function applyTransfer(
  network: Network,
  state: StateView,
  log: LogView,
  before: Totals,
  { timeMs, signed: { transaction, hash } }: EntryOf<'transaction'>,
): Change {
  checkTransfer(network, state, transaction, timeMs);
  const { amountMicroAlc, feeMicroAlc, nonce } = transaction;
  const sender = accountOf(state, transaction.from);
  const recipient = accountOf(state, transaction.to);
  const burned = (feeMicroAlc * BigInt(network.genesis.transfer.feeBurnedPermille)) / 1000n;
  return {
    accounts: [
      { ...sender, nonce, availableMicroAlc: sender.availableMicroAlc - amountMicroAlc - feeMicroAlc },
      { ...recipient, pendingMicroAlc: recipient.pendingMicroAlc + amountMicroAlc },
    ],
    transfers: [
      {
        hash,
        index: log.size,
        timeMs,
        // The accounts' own bytes: one copy for all transfers of a wallet.
        from: sender.publicKey,
        to: recipient.publicKey,
        amountMicroAlc,
        verifiers: [],
        confirmed: false,
        trouble: 'none',
      },
    ],
    totals: {
      ...before,
      burnedMicroAlc: before.burnedMicroAlc + burned,
      treasuryMicroAlc: before.treasuryMicroAlc + feeMicroAlc - burned,
    },
  };
}
