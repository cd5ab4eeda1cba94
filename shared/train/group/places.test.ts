import { expect, it } from 'vitest';
import { spaceValues } from '../codec/space.ts';
import { countPlaces, indicesOf, placesOf } from './places.ts';

const SPACE = [
  { name: 'matrix', shape: [130, 70] },
  { name: 'vector', shape: [5000] },
  { name: 'bias', shape: [7] },
];

it('goes through every value of the space once in four rounds of a quarter', () => {
  const seen = new Uint8Array(spaceValues(SPACE));
  for (let round = 5; round < 9; round++) {
    const places = placesOf(11, round, 1024);
    expect([...places].every((place, i) => i === 0 || place > places[i - 1]!)).toBe(true);
    const indices = [...indicesOf(SPACE, places)];
    expect(indices).toHaveLength(countPlaces(SPACE, places));
    for (const index of indices) seen[index]!++;
  }
  expect(seen.every((times) => times === 1)).toBe(true);
});

it('is another order for another seed', () => {
  expect(placesOf(1, 0, 8)).not.toEqual(placesOf(2, 0, 8));
});
