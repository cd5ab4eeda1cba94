import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MAX_RICE_PARAMETER, readBits, riceParameter, writeBits } from './rice.ts';

const indicesBelow = (size: number) =>
  fc
    .uniqueArray(fc.nat(size - 1), { minLength: 1, maxLength: Math.min(size, 200) })
    .map((list) => list.sort((a, b) => a - b));

test('every parameter gives back what was written, at every offset, and the chosen one is the shortest', () => {
  const cases = fc.integer({ min: 1, max: 4096 }).chain((size) => fc.tuple(fc.constant(size), indicesBelow(size)));
  fc.assert(
    fc.property(cases, fc.nat(3), ([size, list], offset) => {
      const count = list.length;
      const indices = Uint16Array.from(list);
      const codes = Uint8Array.from(list, (index) => (index * 7 + 3) & 3);
      const lengths = Array.from({ length: MAX_RICE_PARAMETER + 1 }, (_, k) => {
        const bytes = new Uint8Array(offset + count * 520);
        const end = writeBits(indices, codes, count, k, bytes, offset);
        const read = { indices: new Uint16Array(4096), codes: new Uint8Array(4096) };
        expect(readBits(bytes, offset, end, k, size, count, read.indices, read.codes)).toBe(end);
        expect(read.indices.subarray(0, count)).toEqual(indices);
        expect(read.codes.subarray(0, count)).toEqual(codes);
        expect(() => readBits(bytes, offset, end - 1, k, size, count, read.indices, read.codes)).toThrow();
        return end - offset;
      });
      expect(lengths[riceParameter(indices, count)]).toBe(Math.min(...lengths));
    }),
    { numRuns: 200 },
  );
});

test('refuses ones without end, indices outside and a filling that is not zero', () => {
  const read = (bytes: number[], k: number, size: number, count: number) =>
    readBits(Uint8Array.from(bytes), 0, bytes.length, k, size, count, new Uint16Array(4096), new Uint8Array(4096));
  expect(() => read(Array(600).fill(255), 0, 4096, 1)).toThrow('outside its block');
  expect(() => read([0b0000_0111 << 2], 0, 3, 1)).toThrow('outside its block');
  expect(read([0b0000_0011 << 2], 0, 3, 1)).toBe(1);
  expect(() => read([0b0010_0011 << 2], 0, 3, 1)).toThrow('filled up');
});
