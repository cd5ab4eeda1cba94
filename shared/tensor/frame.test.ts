import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import vectors from '../../tests/vectors/frames.json' with { type: 'json' };
import { AiloError } from '../errors/index.ts';
import { decodeFrame, encodeFrame, type Frame, frameRange } from './frame.ts';
import type { WireDtype } from './payload.ts';

type Vector = (typeof vectors.valid)[number];

function frameOf(vector: Vector, hex: string): Frame {
  const { buffer } = hexToBytes(hex);
  const { job, sequence, position, sampleAfter } = vector;
  const head = { job, sequence, position, sampleAfter };
  if (vector.kind === 'tokens') return { ...head, kind: 'tokens', ids: new Int32Array(buffer) };
  const marks = 'marks' in vector ? { marks: Uint32Array.from(vector.marks as number[]) } : {};
  return { ...head, kind: 'hidden', rows: vector.shape[0]!, data: new Float32Array(buffer), ...marks };
}

const invalid = expect.objectContaining({ code: 'FRAME_INVALID' });
const thrownBy = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('golden vectors made by NumPy', () => {
  it.each(vectors.valid)('$name', (vector) => {
    const encoded = encodeFrame(frameOf(vector, vector.input), vector.wire as WireDtype);
    expect(bytesToHex(encoded)).toBe(vector.frame);
    expect(decodeFrame(encoded)).toEqual(frameOf(vector, vector.decoded));
  });

  it.each(vectors.invalid)('refuses: $name', ({ frame }) => {
    expect(thrownBy(() => decodeFrame(hexToBytes(frame)))).toEqual(invalid);
  });
});

const anyFrame = fc.record({
  job: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(bytesToHex),
  sequence: fc.nat(2 ** 32 - 1),
  position: fc.nat(2 ** 24),
  sampleAfter: fc.boolean(),
});
const anyHidden = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 9 })).chain(([rows, columns]) =>
  fc.record({
    kind: fc.constant('hidden' as const),
    rows: fc.constant(rows),
    data: fc.float32Array({ minLength: rows * columns, maxLength: rows * columns }),
  }),
);

describe('properties', () => {
  it('f32 is exact for every value, NaN and infinities included', () => {
    fc.assert(
      fc.property(anyFrame, anyHidden, (head, body) => {
        const frame: Frame = { ...head, ...body };
        expect(decodeFrame(encodeFrame(frame, 'f32'))).toEqual(frame);
      }),
    );
  });

  it('int8 stays within half a step of each row’s scale', () => {
    fc.assert(
      fc.property(anyHidden, ({ kind, rows, data }) => {
        fc.pre(data.every((x) => x === 0 || (Math.abs(x) > 1e-30 && Math.abs(x) < 1e38)));
        const frame: Frame = { job: '00'.repeat(16), sequence: 0, position: 0, sampleAfter: false, kind, rows, data };
        const back = decodeFrame(encodeFrame(frame, 'int8'));
        if (back.kind !== 'hidden') throw new Error('unreachable');
        const columns = data.length / rows;
        data.forEach((x, i) => {
          const row = data.subarray(Math.floor(i / columns) * columns, (Math.floor(i / columns) + 1) * columns);
          const step = row.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 127;
          expect(Math.abs(back.data[i]! - x)).toBeLessThanOrEqual(step * 0.5001);
        });
      }),
    );
  });

  it('int8 loses a row that is not finite as a whole, and no other', () => {
    const data = Float32Array.of(1, Number.NaN, 2, 3, Number.POSITIVE_INFINITY, 4, 127, -127, 0);
    const frame: Frame = {
      job: '00'.repeat(16),
      sequence: 0,
      position: 0,
      sampleAfter: false,
      kind: 'hidden',
      rows: 3,
      data,
    };
    const back = decodeFrame(encodeFrame(frame, 'int8'));
    expect(back.kind === 'hidden' && [...back.data]).toEqual([NaN, NaN, NaN, NaN, NaN, NaN, 127, -127, 0]);
  });

  it('any bytes are a frame or FRAME_INVALID, never another error', () => {
    const good = encodeFrame(
      {
        job: '11'.repeat(16),
        sequence: 3,
        position: 9,
        sampleAfter: true,
        kind: 'hidden',
        rows: 2,
        data: new Float32Array(6),
      },
      'f16',
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(good.length),
        (edits, length) => {
          const bytes = good.slice(0, length);
          for (const [at, value] of edits) if (at < length) bytes[at] = value;
          try {
            decodeFrame(bytes);
          } catch (error) {
            expect(error).toBeInstanceOf(AiloError);
            expect(error).toEqual(invalid);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('tells its end by the header alone, wherever the bytes lie', () => {
    for (const { frame: hex, position, shape } of vectors.valid) {
      const pooled = Buffer.concat([Buffer.from([9]), hexToBytes(hex)]).subarray(1);
      expect(frameRange(pooled)).toEqual({ start: position, end: position + shape[0]! });
    }
    expect(frameRange(new Uint8Array(34))).toBeUndefined();
  });

  it('reads a Node Buffer inside a larger pool without looking at its neighbours', () => {
    const frame: Frame = {
      job: '22'.repeat(16),
      sequence: 0,
      position: 0,
      sampleAfter: false,
      kind: 'tokens',
      ids: Int32Array.of(5, 6),
    };
    const pooled = Buffer.concat([Buffer.from([9]), encodeFrame(frame)]).subarray(1);
    expect(decodeFrame(pooled)).toEqual(frame);
    const hidden: Frame = { ...frame, kind: 'hidden', rows: 1, data: Float32Array.of(1.5, 2) };
    expect(decodeFrame(Buffer.from(encodeFrame(hidden, 'f16')))).toMatchObject({ data: Float32Array.of(1.5, 2) });
  });

  it('refuses to encode a frame without rows or with a crooked shape', () => {
    const head = { job: '00'.repeat(16), sequence: 0, position: 0, sampleAfter: false };
    expect(() => encodeFrame({ ...head, kind: 'tokens', ids: new Int32Array(0) })).toThrow(RangeError);
    expect(() => encodeFrame({ ...head, kind: 'hidden', rows: 2, data: new Float32Array(3) })).toThrow(RangeError);
    expect(() => encodeFrame({ ...head, job: 'abcd', kind: 'tokens', ids: Int32Array.of(1) })).toThrow(RangeError);
  });
});
