import { describe, expect, it } from 'vitest';
import type { AppState, LedgerView } from '../state.ts';
import { payerOf, sendObstacle } from './send-obstacle.ts';
import { ME } from './testing.ts';

const ledger = { status: 'verified', feeMicroAlc: '10000' } as LedgerView;
const account = { availableMicroAlc: '-5', pendingMicroAlc: '0', username: 'ada' };
const state = (change: Partial<AppState>) => ({ node: { address: ME }, ...change }) as AppState;

describe('who pays', () => {
  it('is known from what was verified here', () => {
    expect(payerOf(state({ ledger, account }))).toEqual({
      address: ME,
      username: 'ada',
      availableMicroAlc: -5n,
      feeMicroAlc: 10_000n,
    });
    expect(sendObstacle(state({ ledger, account }))).toBeUndefined();
  });

  it('is not known from what the coordinator says alone', () => {
    for (const unknown of [state({}), state({ ledger }), state({ account })]) {
      expect(payerOf(unknown)).toBeUndefined();
      expect(sendObstacle(unknown)).toMatch(/not ready/);
    }
  });

  it('sends nothing into a ledger that contradicts itself', () => {
    const contradicted: LedgerView = { ...ledger, status: 'contradicted' };
    expect(sendObstacle(state({ ledger: contradicted, account }))).toMatch(/contradicts itself/);
  });
});
