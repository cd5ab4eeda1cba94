import { describe, expect, it } from 'vitest';
import { defaultGenesis } from '../../shared/ledger/genesis.ts';
import type { Evidence, ReplicaState } from '../../shared/replica/types.ts';
import { ledgerViewOf } from './ledger-view.ts';

const genesis = defaultGenesis(new Uint8Array(32), 'test', 0);
const state: ReplicaState = { status: 'verified', size: 7, target: 7, entryTimeMs: 1, verifiedMs: 2 };

describe('what pages see of the replica', () => {
  it('has the rules that the wallet explains', () => {
    expect(ledgerViewOf(state, genesis)).toEqual({
      ...state,
      feeMicroAlc: '10000',
      confirmations: 10,
      reportWindowMs: 604_800_000,
    });
  });

  it('is plain: of evidence only what is said, not its bytes', () => {
    const reason = { code: 'SUPPLY_BROKEN', message: 'It does not add up.' } as const;
    const evidence = { kind: 'rule', newer: {}, reason, noticedMs: 3, entry: { now: new Uint8Array(9) } };
    const view = ledgerViewOf({ ...state, evidence: evidence as unknown as Evidence }, genesis);
    expect(view.evidence).toEqual({ kind: 'rule', reason, noticedMs: 3 });
  });
});
