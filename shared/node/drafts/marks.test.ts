import { expect, test } from 'vitest';
import { markWith } from './marks.ts';

const KEY = '000102030405060708090a0b0c0d0e0f';

test('a mark is 32 bits of SHA-256 over key, mark before and token', () => {
  const next = markWith(KEY);
  // python3 -c "import hashlib,struct;print(struct.unpack('<I',hashlib.sha256(bytes(range(16))+struct.pack('<II',0,403)).digest()[:4]))"
  expect(next(0, 403)).toBe(2376353302);
  expect(next(2376353302, 7)).toBe(105508877);
});

test('marks differ by text, not only by its last token, and by key', () => {
  const next = markWith(KEY);
  expect(next(next(0, 1), 2)).not.toBe(next(next(0, 3), 2));
  expect(next(0, 1)).not.toBe(markWith(KEY.replace('0f', '10'))(0, 1));
});
