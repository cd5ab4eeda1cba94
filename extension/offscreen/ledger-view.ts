import type { Genesis } from '../../shared/ledger/genesis.ts';
import type { ReplicaState } from '../../shared/replica/types.ts';
import type { LedgerView } from '../state.ts';

/** What pages see of a replica: without the bytes of its evidence, with the rules that the wallet explains. */
export function ledgerViewOf({ evidence, ...state }: ReplicaState, { transfer }: Genesis): LedgerView {
  const { feeMicroAlc, confirmations, reportWindowMs } = transfer;
  return {
    ...state,
    ...(evidence && {
      evidence: { kind: evidence.kind, reason: evidence.reason, noticedMs: evidence.noticedMs },
    }),
    feeMicroAlc,
    confirmations,
    reportWindowMs,
  };
}
