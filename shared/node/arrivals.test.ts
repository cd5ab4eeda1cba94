import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Arrival, arrive, type Due, earlyBytes, NOTHING_ARRIVED } from './arrivals.ts';

const arrival = (start: number, end: number, more = false): Arrival => ({
  start,
  end,
  data: new Uint8Array(end - start),
  more,
});
const rowsOf = (due: Due[]) =>
  due.flatMap(({ start, end, skip }) => Array.from({ length: end - start - skip }, (_, i) => start + skip + i));

describe('what arrives over two ways', () => {
  it('comes out in order and each row once, however it was cut, doubled and shuffled', () => {
    const cut = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 });
    const streams = fc.array(cut, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(streams, fc.infiniteStream(fc.nat()), (cuts, choices) => {
        const arrivals = cuts.flatMap((sizes) => {
          let at = 0;
          return sizes.map((size) => {
            at += size;
            return arrival(at - size, at);
          });
        });
        const longest = Math.max(...arrivals.map(({ end }) => end));
        let state = NOTHING_ARRIVED;
        const rows: number[] = [];
        while (arrivals.length > 0) {
          const [next] = arrivals.splice(choices.next().value % arrivals.length, 1);
          const step = arrive(state, next!);
          state = step.arrivals;
          rows.push(...rowsOf(step.due));
          expect(rows).toEqual(Array.from({ length: state.rows }, (_, i) => i));
        }
        expect(state.rows).toBe(longest);
        expect(state.early.size, 'nothing waits for ever').toBe(0);
      }),
    );
  });

  it('waits beyond a gap, and is counted', () => {
    const { arrivals, due } = arrive(NOTHING_ARRIVED, arrival(3, 7));
    expect(due).toEqual([]);
    expect(earlyBytes(arrivals)).toBe(4);
    expect(rowsOf(arrive(arrivals, arrival(0, 3)).due)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('of rows that are there already still lets its sender go on', () => {
    const { arrivals } = arrive(NOTHING_ARRIVED, arrival(0, 3));
    expect(arrive(arrivals, arrival(1, 3, true)).due).toEqual([{ ...arrival(1, 3, true), skip: 2 }]);
  });
});
