import { describe, expect, test } from 'vitest';
import { parametersOf } from '../model/model.ts';
import { PRESETS } from '../presets.ts';
import { layoutOf, piecesOf, rowsOf, select } from './layout.ts';
import { CHUNK_BYTES } from './limits.ts';

const tiny = layoutOf([
  { name: 'table', shape: [5, 3], init: { constant: 0 } },
  { name: 'weight', shape: [2, 4], init: { constant: 0 } },
  { name: 'bias', shape: [4], init: { constant: 0 } },
]);

describe('the layout of a space', () => {
  test('has its tensors one after the other', () => {
    expect(tiny.values).toBe(27);
    expect(tiny.tensor('bias')).toEqual({ name: 'bias', shape: [4], start: 23, length: 4 });
    expect(() => tiny.tensor('other')).toThrow(RangeError);
  });

  test('joins tensors that lie beside each other, in whatever order they are named', () => {
    const { ranges, values, places } = select(tiny, ['bias', 'weight']);
    expect({ ranges, values }).toEqual({ ranges: [{ start: 15, length: 12 }], values: 12 });
    expect(places.map(({ name, at }) => [name, at])).toEqual([
      ['bias', 8],
      ['weight', 0],
    ]);
  });

  test('selects tensors that do not lie beside each other as several runs', () => {
    const { ranges, places } = select(tiny, ['table', 'bias']);
    expect(ranges).toEqual([
      { start: 0, length: 15 },
      { start: 23, length: 4 },
    ]);
    expect(places.map(({ at }) => at)).toEqual([0, 15]);
  });

  test('knows where the rows of a matrix are', () => {
    expect(rowsOf(tiny.tensor('weight'), 1, 2)).toEqual({ start: 19, length: 4 });
  });

  test('cuts a run at the bounds of pieces', () => {
    expect([...piecesOf({ start: 8, length: 14 }, 10)]).toEqual([
      { index: 0, offset: 8, length: 2, at: 0 },
      { index: 1, offset: 0, length: 10, at: 2 },
      { index: 2, offset: 0, length: 2, at: 12 },
    ]);
    expect([...piecesOf({ start: 8, length: 0 }, 10)]).toEqual([]);
  });
});

test('ailo-840m is 35 chunks, and a block of it one run that spans two or three', () => {
  const layout = layoutOf(parametersOf(PRESETS['ailo-840m']));
  expect(layout.values).toBe(821_470_400);
  expect(Math.ceil((4 * layout.values) / CHUNK_BYTES)).toBe(35);
  for (let layer = 0; layer < 24; layer++) {
    const names = layout.tensors.map(({ name }) => name).filter((name) => name.includes(`.h.${layer}.`));
    const { ranges } = select(layout, names);
    expect(ranges).toHaveLength(1);
    const pieces = [...piecesOf(ranges[0]!, CHUNK_BYTES / 4)];
    expect(pieces.length).toBeOneOf([2, 3]);
    expect(pieces.reduce((sum, { length }) => sum + length, 0)).toBe(12 * 1600 ** 2 + 13 * 1600);
  }
});
