import { bytesToHex } from '@noble/hashes/utils.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter } from './bytes.ts';

const fail = (reason: string) => new Error(reason);

describe('ByteWriter', () => {
  it('writes little-endian', () => {
    const bytes = new ByteWriter().u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0fn).finish();
    expect(bytesToHex(bytes)).toBe('010302070605040f0e0d0c0b0a0908');
  });

  it('grows past its first buffer without losing what was written', () => {
    const writer = new ByteWriter();
    for (let i = 0; i < 1000; i++) writer.u16(i);
    writer.bytes(new Uint8Array(5000).fill(7));
    const reader = new ByteReader(writer.finish(), fail);
    for (let i = 0; i < 1000; i++) expect(reader.u16()).toBe(i);
    expect(reader.bytes(5000).every((byte) => byte === 7)).toBe(true);
    reader.end();
  });

  it('refuses values that do not fit their field', () => {
    const writer = new ByteWriter();
    expect(() => writer.u8(256)).toThrow(RangeError);
    expect(() => writer.u16(-1)).toThrow(RangeError);
    expect(() => writer.u32(1.5)).toThrow(RangeError);
    expect(() => writer.u64(2n ** 64n)).toThrow(RangeError);
    expect(() => writer.u64(-1n)).toThrow(RangeError);
    expect(writer.finish()).toHaveLength(0);
  });
});

describe('ByteReader', () => {
  it('reads back what was written, from any offset of a larger buffer', () => {
    const field = fc.oneof(
      fc.record({ kind: fc.constant('u8' as const), value: fc.integer({ min: 0, max: 0xff }) }),
      fc.record({ kind: fc.constant('u32' as const), value: fc.integer({ min: 0, max: 0xffff_ffff }) }),
      fc.record({ kind: fc.constant('u64' as const), value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
    );
    fc.assert(
      fc.property(fc.array(field), fc.nat(9), (fields, shift) => {
        const writer = new ByteWriter();
        for (const f of fields) f.kind === 'u64' ? writer.u64(f.value) : writer[f.kind](f.value);
        const written = writer.finish();
        const shifted = new Uint8Array(shift + written.length + 3);
        shifted.set(written, shift);
        const reader = new ByteReader(shifted.subarray(shift, shift + written.length), fail);
        for (const f of fields) expect(reader[f.kind]()).toBe(f.value);
        reader.end();
      }),
    );
  });

  it('throws the format’s own error for too few and too many bytes', () => {
    const reader = new ByteReader(new Uint8Array(3), fail);
    expect(() => reader.u32()).toThrow('ends after 3 bytes');
    expect(() => reader.bytes(4)).toThrow('ends after 3 bytes');
    expect(() => reader.bytes(-1)).toThrow('ends after 3 bytes');
    expect(() => reader.bytes(Number.NaN)).toThrow('ends after 3 bytes');
    expect(() => reader.end()).toThrow('3 bytes too many');
    expect(reader.offset).toBe(0);
  });
});
