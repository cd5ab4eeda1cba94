import fc from 'fast-check';
import { expect, it } from 'vitest';
import { CHECKED_WORDS, pickPlaces, wrongPlace } from './backup-check.ts';

const words = 'legal winner thank year wave sausage worth useful legal winner thank yellow'.split(' ');

it('asks for three different places in order, and for any of them', () => {
  const asked = new Set<number>();
  const draw = fc.nat(999).map((n) => n / 1000);
  fc.assert(
    fc.property(fc.array(draw, { minLength: 9, maxLength: 9 }), (draws) => {
      const places = pickPlaces(12, () => draws.shift()!);
      expect(places).toHaveLength(CHECKED_WORDS);
      expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
      for (const place of places) asked.add(place);
    }),
    { numRuns: 500 },
  );
  expect([...asked].sort((a, b) => a - b)).toEqual(words.map((_, i) => i + 1));
});

it('takes the words as people write them, and names the first wrong place', () => {
  expect(
    wrongPlace(
      words,
      new Map([
        [1, ' Legal '],
        [6, 'sausage'],
        [12, 'YELLOW'],
      ]),
    ),
  ).toBeUndefined();
  expect(
    wrongPlace(
      words,
      new Map([
        [1, 'legal'],
        [6, 'sausages'],
        [12, 'green'],
      ]),
    ),
  ).toBe(6);
  expect(wrongPlace(words, new Map([[2, '']]))).toBe(2);
});
