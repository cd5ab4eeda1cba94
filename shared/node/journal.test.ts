import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../tensor/frame.ts';
import { decodeRows, encodeRows, WIRE_DTYPES } from '../tensor/payload.ts';
import { hiddenJournal, tokenJournal } from './journal.ts';

const head = { job: '6a'.repeat(16), sequence: 3, sampleAfter: true };
const values = (count: number, from = 0) => Float32Array.from({ length: count }, (_, i) => from + i / 8);

describe('a journal of hidden states', () => {
  it.each(WIRE_DTYPES)('gives back any run of rows as it went over the wire in %s', (wire) => {
    const journal = hiddenJournal(4, wire, 10);
    journal.append(values(12), 3);
    journal.append(values(4, 5), 1);
    journal.append(values(24, 9), 6);
    expect(journal.end).toBe(10);
    const all = [...values(12), ...values(4, 5), ...values(24, 9)];
    const part = (position: number, rows: number) => all.slice(4 * position, 4 * (position + rows));
    for (const [position, rows] of [
      [0, 10],
      [2, 3],
      [9, 1],
    ] as const) {
      expect(decodeFrame(journal.frame({ ...head, position }, rows))).toEqual({
        ...head,
        position,
        kind: 'hidden',
        rows,
        data: decodeRows(encodeRows(Float32Array.from(part(position, rows)), rows, wire), rows, 4, wire),
      });
    }
  });

  it('never holds more than the context', () => {
    const journal = hiddenJournal(4, 'f16', 10);
    journal.append(values(36), 9);
    expect(() => journal.append(values(8), 2)).toThrow(RangeError);
    journal.append(values(4), 1);
    expect(journal.end).toBe(10);
  });
});

it('a journal of tokens begins where its stage took over', () => {
  const journal = tokenJournal(7);
  expect(journal.end).toBe(7);
  for (const token of [4, 5, 6]) journal.append(token);
  const frame = decodeFrame(journal.frame({ ...head, position: 8 }, 2));
  expect(frame).toEqual({ ...head, position: 8, kind: 'tokens', ids: Int32Array.of(5, 6) });
});
