import { array, assert, constantFrom, integer, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import { type BatchState, gatherMs, nextRun, rowsOfPiece } from './batch.ts';
import { GATHER_MAX_MS, MAX_DECODE_ROWS, MIN_PIECE_ROWS, PIECE_MS, RUNS_BEFORE_PROMPT } from './limits.ts';

const quiet: BatchState = { lanes: 4, msPerRow: 0, decoding: 0, passedOver: 0 };
const step = (rows: number, logits = 1) => ({ rows, logits });
const run = (rows: number[], state: Partial<BatchState> = {}) =>
  nextRun(
    rows.map((count) => step(count)),
    { ...quiet, ...state },
  ).map(({ index, rows }) => [index, rows]);

describe('the next run', () => {
  it('takes steps to decode in the order of their arrival, as many as there are lanes', () => {
    expect(run([1, 1])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(run([1, 3, 1, 1, 1])).toEqual([
      [0, 1],
      [1, 3],
      [2, 1],
      [3, 1],
    ]);
  });

  it('keeps the last lane for a prompt, of which others let as much along as holds them up for no longer than a moment', () => {
    expect(run([100, 1, 1, 1, 1])).toEqual([
      [1, 1],
      [2, 1],
      [3, 1],
      [0, MIN_PIECE_ROWS],
    ]);
    expect(run([100, 1], { msPerRow: PIECE_MS / 40 })).toEqual([
      [1, 1],
      [0, 40],
    ]);
    expect(run([100], { decoding: 1, msPerRow: PIECE_MS / 40 })).toEqual([[0, 40]]);
  });

  it('takes all of a prompt where nobody else decodes, and further prompts while there is room', () => {
    expect(run([100])).toEqual([[0, 100]]);
    expect(run([50, 30, 20])).toEqual([
      [0, 50],
      [1, 30],
      [2, 20],
    ]);
    expect(run([100, 60])).toEqual([
      [0, 100],
      [1, MAX_STEP_ROWS - 100],
    ]);
  });

  it('gives a prompt its turn where there is one lane', () => {
    expect(run([100, 1], { lanes: 1 })).toEqual([[1, 1]]);
    expect(run([100, 1], { lanes: 1, passedOver: RUNS_BEFORE_PROMPT })).toEqual([[0, MAX_STEP_ROWS].with(1, 100)]);
    expect(run([1, 1], { lanes: 1, passedOver: RUNS_BEFORE_PROMPT })).toEqual([[0, 1]]);
  });

  it('is never empty, never too much, and never cuts off a single row or what wants logits', () => {
    const waiting = array(record({ rows: integer({ min: 1, max: MAX_STEP_ROWS }), logits: constantFrom(0, 1, 2) }), {
      minLength: 1,
      maxLength: 12,
    });
    const state = record({
      lanes: integer({ min: 1, max: 8 }),
      msPerRow: constantFrom(0, 0.01, 1, 7, 1000),
      decoding: integer({ min: 0, max: 3 }),
      passedOver: integer({ min: 0, max: 9 }),
    });
    assert(
      property(waiting, state, (steps, state) => {
        const pieces = nextRun(steps, state);
        expect(pieces.length).toBeGreaterThan(0);
        expect(pieces.length).toBeLessThanOrEqual(state.lanes);
        expect(new Set(pieces.map(({ index }) => index)).size).toBe(pieces.length);
        expect(pieces.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(MAX_STEP_ROWS);
        for (const { index, rows } of pieces) {
          const left = steps[index]!.rows - rows;
          if (left === 0) continue;
          expect(rows).toBeGreaterThan(1);
          expect(left).toBeGreaterThanOrEqual(Math.max(2, steps[index]!.logits));
          expect(steps[index]!.rows).toBeGreaterThan(MAX_DECODE_ROWS);
        }
      }),
    );
  });
});

it.each([
  [5, 10, 5],
  [10, 10, 10],
  [11, 10, 9],
  [12, 10, 10],
  [200, 128, 128],
  [129, 128, 127],
  [3, 1, 1],
])('of %i rows, where at most %i may go, %i go', (rows, most, piece) => {
  expect(rowsOfPiece(rows, most)).toBe(piece);
});

it('waits for steps that come together, for a share of the time that it may save', () => {
  expect(gatherMs({ missing: 0, lastRunMs: 100 })).toBe(0);
  expect(gatherMs({ missing: 2, lastRunMs: 50 })).toBe(5);
  expect(gatherMs({ missing: 2, lastRunMs: 10_000 })).toBe(GATHER_MAX_MS);
});
