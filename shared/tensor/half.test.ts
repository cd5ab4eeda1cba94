import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bfloatToFloat, floatToHalf, halfToFloat } from './half.ts';

const half = (value: number) => floatToHalf(Float32Array.of(value))[0]!;

describe('binary16', () => {
  it('knows the named values of IEEE 754', () => {
    const patterns = Uint16Array.of(
      0x0000,
      0x8000,
      0x0001,
      0x03ff,
      0x0400,
      0x3555,
      0x3c00,
      0x3c01,
      0x7bff,
      0x7c00,
      0xfc00,
    );
    const values = [
      0,
      -0,
      2 ** -24,
      1023 * 2 ** -24,
      2 ** -14,
      0.333251953125,
      1,
      1.0009765625,
      65504,
      Infinity,
      -Infinity,
    ];
    expect([...halfToFloat(patterns)]).toEqual(values);
    expect([...floatToHalf(Float32Array.from(values))]).toEqual([...patterns]);
  });

  it('returns every pattern from its own value', () => {
    const all = Uint16Array.from({ length: 65_536 }, (_, i) => i);
    const back = floatToHalf(halfToFloat(all));
    const wrong = [...all].filter((p) => back[p] !== p && !Number.isNaN(halfToFloat(Uint16Array.of(p))[0]));
    expect(wrong).toEqual([]);
  });

  it('rounds to nearest, ties to even', () => {
    expect(half(1 + 2 ** -11)).toBe(0x3c00);
    expect(half(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(half(1 + 2 ** -11 + 2 ** -23)).toBe(0x3c01);
    expect(half(2 ** -25)).toBe(0x0000);
    expect(half(3 * 2 ** -25)).toBe(0x0002);
    expect(half(2 ** -25 * 1.0001)).toBe(0x0001);
    expect(half(65519.99)).toBe(0x7bff);
    expect(half(65520)).toBe(0x7c00);
    expect(half(-1e30)).toBe(0xfc00);
    expect(half(Number.NaN)).toBe(0x7e00);
  });

  it('finds no half nearer than its answer', () => {
    fc.assert(
      fc.property(fc.float({ min: -65504, max: 65504, noNaN: true }), (value) => {
        const pattern = half(value);
        const distance = (p: number) => Math.abs(halfToFloat(Uint16Array.of(p))[0]! - value);
        const ours = distance(pattern);
        for (const other of [pattern - 1, pattern + 1]) {
          if ((other & 0x7fff) > 0x7bff || other < 0) continue;
          expect(ours).toBeLessThanOrEqual(distance(other));
          if (ours === distance(other) && ours > 0) expect(pattern & 1).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32', () => {
    expect([...bfloatToFloat(Uint16Array.of(0x3f80, 0xc049, 0x0000, 0x7f80, 0x0001))]).toEqual([
      1,
      -3.140625,
      0,
      Infinity,
      2 ** -133,
    ]);
  });
});
