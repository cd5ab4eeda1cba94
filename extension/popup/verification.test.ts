import { describe, expect, it } from 'vitest';
import type { LedgerView } from '../state.ts';
import { contradictionOf, verificationOf } from './verification.ts';

const NOW = new Date(2026, 10, 25, 14, 3).getTime();
const ledger = (change: Partial<LedgerView> = {}): LedgerView => ({
  status: 'verified',
  size: 1204,
  target: 1204,
  verifiedMs: NOW - 3000,
  feeMicroAlc: '10000',
  confirmations: 10,
  reportWindowMs: 604_800_000,
  ...change,
});
const error = { code: 'UNREACHABLE', message: 'It cannot be reached.' } as const;

describe('what is said of the ledger', () => {
  it('is what was verified, and when', () => {
    expect(verificationOf(ledger(), true, NOW)).toEqual({
      tone: 'verified',
      sentence: 'Verified by this browser: block 1,204, 3 s ago',
    });
  });

  it('is that there is nothing to verify yet', () => {
    expect(verificationOf(ledger({ size: 0, target: 0 }), true, NOW).sentence).toContain(
      'nothing stands in the ledger yet',
    );
  });

  it('is how far it got', () => {
    expect(verificationOf(ledger({ status: 'verifying', size: 12_000, target: 1_000_000 }), true, NOW)).toEqual({
      tone: 'busy',
      sentence: 'Verifying the ledger: 12,000 of 1,000,000 (1 %)',
      progress: 0.012,
    });
    expect(verificationOf(ledger({ status: 'verifying', size: 999, target: 1000 }), true, NOW).sentence).toContain(
      '99 %',
    );
    expect(verificationOf(ledger({ status: 'verifying', size: 0, target: 0 }), true, NOW).progress).toBe(0);
    expect(verificationOf(ledger({ status: 'starting' }), true, NOW).tone).toBe('busy');
    expect(verificationOf(undefined, true, NOW).sentence).toContain('yet');
  });

  it('is since when nothing new is verified', () => {
    const { tone, sentence } = verificationOf(ledger({ error }), true, NOW);
    expect(tone).toBe('stale');
    expect(sentence).toMatch(/^It cannot be reached\. What you see was verified at .*02.* \(block 1,204\)/);
    expect(verificationOf(ledger({ error }), false, NOW).sentence).toMatch(/^What you see was verified at/);
    expect(verificationOf(ledger(), false, NOW).tone).toBe('stale');
    const { verifiedMs: _, ...never } = ledger({ error, size: 0 });
    expect(verificationOf(never, true, NOW).sentence).toContain('Nothing is verified by this browser yet');
  });
});

describe('a contradiction', () => {
  const reason = { code: 'SUPPLY_BROKEN', message: 'The ledger does not add up: 1.' } as const;
  const evidence = { kind: 'rule', reason, noticedMs: NOW } as const;

  it('says what was found and what it means, and does not claim to be up to date', () => {
    const contradicted = ledger({ status: 'contradicted', evidence, error });
    expect(verificationOf(contradicted, true, NOW)).toEqual({
      tone: 'contradicted',
      sentence: 'Verified only up to block 1,204',
    });
    expect(contradictionOf(contradicted, NOW)).toMatchObject({
      found: 'The network signed something that breaks its own rules.',
      reason: 'The ledger does not add up: 1.',
      meaning: expect.stringContaining('Nothing after block 1,204 is believed'),
    });
  });

  it('is none while there is no evidence', () => {
    expect(contradictionOf(ledger(), NOW)).toBeUndefined();
    expect(contradictionOf(undefined, NOW)).toBeUndefined();
  });
});
