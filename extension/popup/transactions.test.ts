import { describe, expect, it } from 'vitest';
import { ME, OTHER, transfer } from './testing.ts';
import { amountOf, canReport, counterpartyOf, roleIn, subjectOf, titleOf } from './transactions.ts';

const reward = transfer({ type: 'inference-reward', to: ME }, ['from']);
const sent = transfer({ from: ME, to: OTHER, memo: 'for tea' });
const received = transfer({ from: OTHER, to: ME });
const strange = transfer({ from: OTHER, to: `alc1${'z'.repeat(58)}` });

describe('a line of the history', () => {
  it('shows rewards as income, with what they were for', () => {
    expect([titleOf(reward, ME, {}), amountOf(reward, ME), subjectOf(reward)]).toEqual([
      'Answer reward',
      '+0.05 ALC',
      'a part of an answer computed',
    ]);
    expect(counterpartyOf(reward, ME)).toBeUndefined();
  });

  it('tells sent from received, by name where there is one', () => {
    const names = { [OTHER]: 'grace' };
    expect([titleOf(sent, ME, names), amountOf(sent, ME), subjectOf(sent)]).toEqual([
      'Sent to @grace',
      '−0.05 ALC',
      'for tea',
    ]);
    expect([titleOf(received, ME, {}), amountOf(received, ME)]).toEqual(['Received from alc1ppppp…pppp', '+0.05 ALC']);
    expect([sent, received].map((record) => counterpartyOf(record, ME))).toEqual([OTHER, OTHER]);
  });

  it('takes no side between strangers', () => {
    expect(roleIn(strange, ME)).toBe('other');
    expect(titleOf(strange, ME, {})).toBe('alc1ppppp…pppp to alc1zzzzz…zzzz');
    expect(amountOf(strange, ME)).toBe('0.05 ALC');
  });
});

describe('reporting', () => {
  const WINDOW = 1000;
  const at = (record: typeof sent, afterMs: number) => canReport(record, WINDOW, record.timeMs + afterMs);

  it('is for transfers, in the window, until they are settled', () => {
    expect(at(sent, WINDOW)).toBe(true);
    expect(at(sent, WINDOW + 1)).toBe(false);
    expect(at(reward, 0)).toBe(false);
    for (const state of ['pending', 'confirmed', 'reported'] as const) expect(at({ ...sent, state }, 0)).toBe(true);
    for (const state of ['disputed', 'reversed'] as const) expect(at({ ...sent, state }, 0)).toBe(false);
  });
});
