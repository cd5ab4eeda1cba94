import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import { MAX_FRAME_BYTES } from '../protocol/limits.ts';
import { encodeFrame, type Frame } from '../tensor/frame.ts';
import { WIRE_DTYPES } from '../tensor/payload.ts';
import { finishReason, rowsPerStep, type StageShape, stepsOf } from './step.ts';

const JOB = '5c'.repeat(16);
const FIRST: StageShape = { takes: 'tokens', gives: 'hidden', inWidth: 4, outWidth: 4, vocabSize: 100 };
const MIDDLE: StageShape = { takes: 'hidden', gives: 'hidden', inWidth: 4, outWidth: 4, vocabSize: 100 };

const tokens = (...ids: number[]): Frame => ({
  job: JOB,
  sequence: 0,
  position: 3,
  sampleAfter: true,
  kind: 'tokens',
  ids: Int32Array.from(ids),
});
const hidden = (rows: number, columns: number): Frame => {
  const data = Float32Array.from({ length: rows * columns }, (_, i) => i);
  return { job: JOB, sequence: 0, position: 3, sampleAfter: true, kind: 'hidden', rows, data };
};

describe('rowsPerStep', () => {
  it('fills a frame as far as it goes and never more', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20_000 }), fc.constantFrom(...WIRE_DTYPES), (size, wire) => {
        const rows = rowsPerStep({ ...MIDDLE, outWidth: size }, wire);
        const bytes = (count: number) => encodeFrame(hidden(count, size), wire).length;
        expect(rows).toBeGreaterThan(0);
        expect(bytes(rows)).toBeLessThanOrEqual(MAX_FRAME_BYTES);
        if (rows < MAX_STEP_ROWS) expect(bytes(rows + 1)).toBeGreaterThan(MAX_FRAME_BYTES - 64);
      }),
      { numRuns: 30 },
    );
  });
});

describe('stepsOf', () => {
  it('takes every row once, in order, and samples after the last only', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (rows, maxRows) => {
        const frame = hidden(rows, 4);
        const steps = stepsOf(frame, MIDDLE, maxRows);
        let position = 3;
        for (const step of steps) {
          expect(step.position).toBe(position);
          expect(step.rows).toBeLessThanOrEqual(maxRows);
          position += step.rows;
        }
        expect(position).toBe(3 + rows);
        const data = steps.flatMap(({ input }) => (input.kind === 'hidden' ? [...input.data] : []));
        expect(data).toEqual([...(frame as { data: Float32Array }).data]);
        expect(steps.map(({ sampleAfter }) => sampleAfter)).toEqual(steps.map((_, i) => i === steps.length - 1));
      }),
    );
    const steps = stepsOf(tokens(1, 2, 3), FIRST, 2);
    expect(steps.map(({ input }) => input)).toEqual([
      { kind: 'tokens', ids: Int32Array.of(1, 2) },
      { kind: 'tokens', ids: Int32Array.of(3) },
    ]);
  });

  it('samples after nothing when the frame does not ask for it', () => {
    expect(stepsOf({ ...tokens(1, 2), sampleAfter: false }, FIRST, 1).some((step) => step.sampleAfter)).toBe(false);
  });

  it.each([
    ['tokens for a stage that takes hidden states', tokens(1), MIDDLE],
    ['hidden states for a stage that takes tokens', hidden(1, 4), FIRST],
    ['rows of another width', hidden(2, 6), MIDDLE],
    ['a token beyond the vocabulary', tokens(99, 100), FIRST],
  ])('refuses %s', (_, frame, shape) => {
    expect(() => stepsOf(frame, shape, 8)).toThrow(expect.objectContaining({ code: 'FRAME_INVALID' }));
  });
});

describe('finishReason', () => {
  const bounds = { eosTokens: [2, 7], maxNewTokens: 3, contextLength: 10 };
  it.each([
    [{ token: 5, index: 0, position: 4 }, undefined],
    [{ token: 7, index: 0, position: 4 }, 'stop'],
    [{ token: 5, index: 2, position: 6 }, 'length'],
    [{ token: 2, index: 2, position: 6 }, 'stop'],
    // Position 9 is the last that the context holds: such a token can still be read, and answered once more.
    [{ token: 5, index: 0, position: 9 }, undefined],
    [{ token: 5, index: 1, position: 10 }, 'length'],
  ])('%o → %s', (token, reason) => {
    expect(finishReason(token, bounds)).toBe(reason);
  });
});
