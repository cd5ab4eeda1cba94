import { expect, test } from 'vitest';
import { newWords, normaliseWords } from './words.ts';

test('new words are twelve, valid and not the same twice', () => {
  const words = newWords();
  expect(words.split(' ')).toHaveLength(12);
  expect(normaliseWords(words)).toBe(words);
  expect(newWords()).not.toBe(words);
});

test('entropy can be passed in', () => {
  expect(newWords(new Uint8Array(16))).toBe(`${'abandon '.repeat(11)}about`);
  expect(() => newWords(new Uint8Array(32))).toThrow(RangeError);
});

test.each([
  ['abandon about', 'there are 2 of them, not 12'],
  [`${'abandon '.repeat(11)}elephantine`, 'word 12 is not in the list'],
  [`${'abandon '.repeat(11)}zoo`, 'one of them is wrong'],
  ['', 'there are 1 of them'],
])('refuses %j without repeating a word of it', (text, reason) => {
  const refuse = () => normaliseWords(text);
  expect(refuse).toThrow(expect.objectContaining({ code: 'WORDS_INVALID', message: expect.stringContaining(reason) }));
  expect(refuse).not.toThrow(/abandon|elephantine|zoo/);
});
