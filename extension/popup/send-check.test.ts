import { describe, expect, it } from 'vitest';
import {
  amountIn,
  checkPayment,
  memoBytes,
  mostSendable,
  type Payer,
  type Payment,
  recipientOf,
  remainsAfter,
} from './send-check.ts';
import { ME, OTHER } from './testing.ts';

const payer: Payer = { address: ME, username: 'ada', availableMicroAlc: 1_000_000n, feeMicroAlc: 10_000n };
const check = (change: Partial<Payment>, by = payer) =>
  checkPayment({ to: OTHER, amount: '0.5', memo: '', ...change }, by);

describe('a payment before it is signed', () => {
  it('may be right', () => {
    expect(check({})).toEqual({});
    expect(check({ to: '@grace', amount: ' 0.99 ', memo: 'é'.repeat(32) })).toEqual({});
  });

  it('needs a recipient that is not the payer', () => {
    expect(check({ to: '  ' }).to).toBe('Please say who gets it: an address, or a username.');
    for (const self of [ME, ` ${ME}\n`, 'ada', '@ada']) {
      expect(check({ to: self }), self).toEqual({ to: 'Sender and recipient are the same wallet.' });
    }
    expect(check({ to: '@adam' })).toEqual({});
  });

  it.each([
    ['', 'Please say how much.'],
    ['0', 'The amount must be more than nothing.'],
    ['0.000', 'The amount must be more than nothing.'],
    ['1,5', /write it in digits/],
    ['-1', /write it in digits/],
    ['1e3', /write it in digits/],
    ['0.0000001', /at most six after the point/],
    ['9999999999999', /more than can ever exist/],
    ['0.990001', 'That is more than there is: at most 0.99 ALC can be sent, and the fee is on top.'],
  ])('has something to say about the amount “%s”', (amount, sentence) => {
    expect(check({ amount })).toEqual({ amount: expect.stringMatching(sentence) });
  });

  it('is impossible when not even the fee can be paid', () => {
    const sentence = 'There is too little to send: the fee alone is 0.01 ALC.';
    for (const availableMicroAlc of [10_000n, 0n, -5n]) {
      expect(check({ amount: '0.000001' }, { ...payer, availableMicroAlc })).toEqual({ amount: sentence });
    }
  });

  it('counts the memo in bytes', () => {
    expect(memoBytes('aé€🙂')).toBe(1 + 2 + 3 + 4);
    expect(check({ memo: 'é'.repeat(33) }).memo).toMatch(/2 bytes too long/);
  });

  it('says all that is wrong at once', () => {
    expect(Object.keys(check({ to: '', amount: '', memo: 'x'.repeat(65) }))).toEqual(['to', 'amount', 'memo']);
  });
});

describe('amounts', () => {
  it('stay exact where floats would not', () => {
    expect(amountIn('0.1')! + amountIn('0.2')!).toBe(amountIn('0.3'));
    expect(amountIn(' 9007199254740.993 ')).toBe(9_007_199_254_740_993_000n);
    expect(amountIn('1.')).toBeUndefined();
  });

  it('leave what remains after the fee', () => {
    expect(mostSendable(payer)).toBe(990_000n);
    expect(remainsAfter(990_000n, payer)).toBe(0n);
    expect(remainsAfter(990_001n, payer)).toBe(-1n);
    expect(mostSendable({ ...payer, availableMicroAlc: 0n })).toBe(-10_000n);
  });
});

describe('a pasted recipient', () => {
  it('loses its white space', () => {
    expect(recipientOf(' alc1 qx7r\n9f2k\t')).toBe('alc1qx7r9f2k');
  });
});
