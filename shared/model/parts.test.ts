import { expect, test } from 'vitest';
import { MAX_CHUNK_BYTES } from './limits.ts';
import { readParts } from './parts.ts';

test('a file is read in parts, each when the one before was taken', async () => {
  const asked: [number, number][] = [];
  const source = {
    async readRange(path: string, start: number, end: number) {
      expect(path).toBe('weights');
      asked.push([start, end]);
      return new Uint8Array(1);
    },
  };
  for await (const _ of readParts(source, { path: 'weights', bytes: MAX_CHUNK_BYTES + 5 })) {
    if (asked.length === 1) expect(asked).toEqual([[0, MAX_CHUNK_BYTES]]);
  }
  expect(asked[1]).toEqual([MAX_CHUNK_BYTES, MAX_CHUNK_BYTES + 5]);
});
