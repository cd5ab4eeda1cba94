import { describe, expect, it } from 'vitest';
import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { meaningOf, ownVerification } from './meaning.ts';
import { ME, OTHER, transfer } from './testing.ts';

const NEEDED = 10;
const sides = (change: Partial<TransactionDetail>) => [
  meaningOf(transfer({ ...change, from: ME, to: OTHER }), ME, NEEDED),
  meaningOf(transfer({ ...change, from: OTHER, to: ME }), ME, NEEDED),
];

describe('what a state means', () => {
  it('counts the verifications that are missing', () => {
    const [sender, recipient] = sides({ state: 'pending', confirmations: 3 });
    expect(sender).toBe(
      'It has left your wallet. The recipient can spend it when 10 independent wallets have verified it; 3 have so far.',
    );
    expect(recipient).toContain('You can spend it when 10');
    expect(sides({ confirmations: 0 })[0]).toContain('none has so far');
    expect(meaningOf(transfer({ confirmations: 0 }), ME, 1)).toContain('1 independent wallet has verified it');
  });

  it('is another for each side and each state, and names no side to strangers', () => {
    const states = ['pending', 'confirmed', 'reported', 'disputed', 'reversed'] as const;
    const all = states.flatMap((state) => sides({ state }));
    expect(new Set(all).size).toBe(all.length);
    for (const state of states) {
      const sentence = meaningOf(transfer({ state, from: OTHER, to: `alc1${'z'.repeat(58)}` }), ME, NEEDED);
      expect(sentence).not.toMatch(/\byou/i);
    }
  });

  it('says how many decide a dispute', () => {
    const reports = [{ address: OTHER, reason: 'double', timeMs: 1 }];
    const [sender] = sides({ state: 'reported', dispute: { activeNodes: 9, needed: 5, reports } });
    expect(sender).toContain('If 5 of 9 active nodes say so (1 so far)');
  });

  it('says who pays when a reversed transfer was spent', () => {
    expect(sides({ state: 'reversed' })[1]).toContain('what you earn next repays it');
  });

  it('says that rewards are final', () => {
    const reward = transfer({ type: 'training-reward', state: 'confirmed' }, ['from']);
    expect(meaningOf(reward, ME, NEEDED)).toContain('confirmed at once');
  });
});

describe('what this browser verified', () => {
  it('counts, or says why it does not', () => {
    const sentences = [
      ownVerification(true, 'other'),
      ownVerification(false, 'sender'),
      ownVerification(false, 'other'),
    ];
    expect(sentences[0]).toContain('it counts');
    expect(sentences[1]).toContain('sender and recipient do not count');
    expect(sentences[2]).toContain('earned');
  });
});
