import { expect, test } from 'vitest';
import { parameterCount } from './model/model.ts';
import { PRESETS } from './presets.ts';

// Counted from shapes: nothing of the models is allocated.
test.each([
  ['nano-char', 65 * 128 + 64 * 128 + 4 * (12 * 128 ** 2 + 13 * 128) + 2 * 128],
  ['ailo-guide', 2048 * 192 + 4 * (2 * 192 ** 2 + 2 * 192 * 96 + 3 * 192 * 640 + 2 * 192) + 192],
  ['gpt2-124m', 124_439_808],
  ['ailo-840m', 821_470_400],
] as const)('%s has %i parameters', (name, count) => {
  expect(parameterCount(PRESETS[name])).toBe(count);
});
