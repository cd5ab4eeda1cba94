import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_MICRO_ALC } from './limits.ts';
import { formatAlc, parseAlc } from './money.ts';

test('reads what it writes', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: MAX_MICRO_ALC }), (amount) => {
      expect(parseAlc(formatAlc(amount))).toBe(amount);
    }),
  );
});

test.each([
  ['0.05', 50_000n],
  ['0', 0n],
  ['007.5', 7_500_000n],
  ['1.000001', 1_000_001n],
  ['9223372036854.775807', MAX_MICRO_ALC],
])('%s ALC', (text, amount) => expect(parseAlc(text)).toBe(amount));

test.each([
  [50_000n, '0.05'],
  [0n, '0'],
  [-1_500_000n, '-1.5'],
  [-1n, '-0.000001'],
  [12_000_000n, '12'],
])('%s µALC', (amount, text) => expect(formatAlc(amount)).toBe(text));

test.each([
  '',
  '.5',
  '1.',
  '1,5',
  '-1',
  '+1',
  '1e3',
  ' 1',
  '1.0000001',
  '0x10',
  '９',
  '9223372036854.775808',
  '9'.repeat(20),
])('refuses “%s”', (text) => expect(() => parseAlc(text)).toThrow(expect.objectContaining({ code: 'AMOUNT_INVALID' })));
