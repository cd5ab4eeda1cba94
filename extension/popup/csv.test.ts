import { describe, expect, it } from 'vitest';
import { csvOf } from './csv.ts';
import { ME, OTHER, transfer } from './testing.ts';

const rows = (csv: string) => csv.split('\r\n').slice(1, -1);
const memoOf = (memo: string) => {
  const [before, after] = csvOf([transfer({ memo })], ME, {})
    .split('\r\n')
    .slice(1)
    .join('\r\n')
    .split(`${OTHER},,`);
  expect(before).toContain('transfer,in');
  return after!.slice(0, after!.indexOf(',pending,'));
};

describe('a history as CSV', () => {
  it('has its columns and one line for each transaction', () => {
    const sent = transfer({ from: ME, to: OTHER, memo: 'tea', state: 'confirmed', confirmations: 10 });
    const reward = transfer({ type: 'inference-reward', to: ME, feeMicroAlc: '0', state: 'confirmed' }, ['from']);
    const csv = csvOf([sent, reward], ME, { [OTHER]: 'grace' });
    expect(csv.split('\r\n')[0]).toBe(
      'date,type,direction,amount ALC,fee ALC,counterparty,username,memo,state,confirmations,hash',
    );
    const hash = 'a'.repeat(64);
    expect(rows(csv)).toEqual([
      `2026-09-21T14:13:20.000Z,transfer,out,0.05,0.01,${OTHER},grace,tea,confirmed,10,${hash}`,
      `2026-09-21T14:13:20.000Z,inference-reward,in,0.05,0,,,,confirmed,,${hash}`,
    ]);
  });

  it('charges the recipient no fee, and keeps amounts exact', () => {
    const [row] = rows(csvOf([transfer({ amountMicroAlc: '9223372036854775807' })], ME, {}));
    expect(row).toContain(',in,9223372036854.775807,0,');
  });

  it('quotes what would break the line', () => {
    expect(memoOf('a, b')).toBe('"a, b"');
    expect(memoOf('say "hi"')).toBe('"say ""hi"""');
    expect(memoOf('two\r\nlines')).toBe('"two\r\nlines"');
    expect(memoOf('plain')).toBe('plain');
  });

  it.each(['=1+1', '+1', '-1', '@SUM(A1)', ' =1', '\t=1'])('makes text of the formula “%s”', (formula) => {
    expect(memoOf(formula)).toBe(`'${formula}`);
  });

  it('quotes a formula that needs it', () => {
    expect(memoOf('=HYPERLINK("http://x","y")')).toBe(`"'=HYPERLINK(""http://x"",""y"")"`);
  });
});
