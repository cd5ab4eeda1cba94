/**
 * Reversals: a transfer that was disputed goes back to its sender when the delay has passed. When that is follows from
 * the ledger's state, so that nothing has to be remembered over a restart.
 */
import type { Batch } from '../../shared/ledger/batch.ts';
import { encodeTransactionEntry } from '../../shared/ledger/entry.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import type { Dispute } from '../../shared/ledger/records.ts';
import type { LedgerState } from '../../shared/ledger/state.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import type { SigningKey } from '../../shared/wallet/wallet.ts';
import { MAX_TIMER_MS, REVERSAL_RETRY_MS } from './limits.ts';

export interface ReversalsOptions {
  genesis: Genesis;
  /** Unix time. */
  now(): number;
  schedule: Schedule;
  /** Books everything that is due. */
  reverse(): Promise<void>;
  onFailure?: ((error: unknown) => void) | undefined;
}

export interface Reversals {
  /** The ledger's new state: the timer is set to what is due next. */
  watch(state: LedgerState): void;
  close(): void;
}

export function createReversals({ genesis, now, schedule, reverse, onFailure }: ReversalsOptions): Reversals {
  let cancel = () => {};
  let closed = false;

  function wake(delayMs: number, state: LedgerState): void {
    cancel();
    if (!closed) cancel = schedule(() => run(state), Math.min(delayMs, MAX_TIMER_MS));
  }

  function run(state: LedgerState): void {
    reverse().then(
      // Where something was reversed the new state is being watched already; but the clock may have been set back.
      () => watch(state),
      (error: unknown) => {
        if (!closed) onFailure?.(error);
        wake(REVERSAL_RETRY_MS, state);
      },
    );
  }

  function watch(state: LedgerState): void {
    cancel();
    let dueMs = Number.POSITIVE_INFINITY;
    for (const dispute of state.disputed()) dueMs = Math.min(dueMs, dueAt(genesis, dispute));
    if (dueMs < Number.POSITIVE_INFINITY) wake(Math.max(0, dueMs - now()), state);
  }

  return {
    watch,
    close() {
      closed = true;
      cancel();
    },
  };
}

/** Adds the reversal of every disputed transfer whose delay has passed. */
export function bookReversals(batch: Batch, key: SigningKey, nowMs: number): void {
  const { state } = batch.tip;
  const timeMs = Math.max(nowMs, state.totals.timeMs);
  const due = [...state.disputed()].filter((dispute) => dueAt(batch.network.genesis, dispute) <= timeMs);
  for (const { transfer: reference } of due) {
    const { from: to, amountMicroAlc } = state.transfer(reference)!;
    const reversal = signTransaction(key, {
      networkId: batch.network.id,
      type: 'reversal',
      from: key.publicKey,
      to,
      amountMicroAlc,
      feeMicroAlc: 0n,
      nonce: state.totals.networkNonce + 1,
      timeMs,
      reference,
      memo: '',
    });
    batch.add(encodeTransactionEntry(timeMs, reversal));
  }
}

function dueAt({ transfer }: Genesis, { disputedMs }: Readonly<Dispute>): number {
  return disputedMs + transfer.reversalDelayMs;
}
