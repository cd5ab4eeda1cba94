import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { PageRequest } from './messages.ts';
import { MAX_HISTORY_PAGE, MAX_RECIPIENT_LENGTH } from './wallet-messages.ts';

const accepts = (request: object) => v.safeParse(PageRequest, request).success;
const ADDRESS = `alc1${'q'.repeat(58)}`;
const HASH = 'a'.repeat(64);

describe('what pages may ask the wallet for', () => {
  it('is bounded', () => {
    expect(accepts({ type: 'walletHistory', limit: MAX_HISTORY_PAGE })).toBe(true);
    expect(accepts({ type: 'walletHistory', before: 0, limit: 1 })).toBe(true);
    expect(accepts({ type: 'walletHistory', limit: MAX_HISTORY_PAGE + 1 })).toBe(false);
    expect(accepts({ type: 'walletHistory', before: -1, limit: 1 })).toBe(false);
    expect(accepts({ type: 'walletResolve', to: 'x'.repeat(MAX_RECIPIENT_LENGTH + 1) })).toBe(false);
    expect(accepts({ type: 'walletReport', hash: HASH, reason: 'x'.repeat(1000) })).toBe(false);
  });

  it('names transactions by their hash alone', () => {
    for (const type of ['walletTransaction', 'walletVerify']) {
      expect(accepts({ type, hash: HASH })).toBe(true);
      expect(accepts({ type, hash: HASH.toUpperCase() })).toBe(false);
      expect(accepts({ type, hash: '../secrets' })).toBe(false);
    }
  });

  it.each([
    ['nothing', '0'],
    ['less than nothing', '-1'],
    ['a fraction', '0.5'],
    ['a float', '1e9'],
    ['leading zeros', '007'],
    ['more than can exist', '1'.repeat(20)],
  ])('never sends %s', (_, amountMicroAlc) => {
    expect(accepts({ type: 'walletSend', to: ADDRESS, amountMicroAlc: '50000', memo: '' })).toBe(true);
    expect(accepts({ type: 'walletSend', to: ADDRESS, amountMicroAlc, memo: '' })).toBe(false);
  });

  it('sends only to addresses', () => {
    expect(accepts({ type: 'walletSend', to: '@ada', amountMicroAlc: '50000', memo: '' })).toBe(false);
  });
});
