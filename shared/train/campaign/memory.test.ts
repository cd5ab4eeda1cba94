import { expect, test } from 'vitest';
import { campaignOf } from '../../../server/campaigns/testing.ts';
import { configJson } from '../hugging-face.ts';
import { PRESETS } from '../presets.ts';
import { diskLearnerBytes, learnerBytes, placeOf } from './memory.ts';

const large = campaignOf({
  ...{ model: { ...configJson(PRESETS['ailo-840m']) }, batch: 1, sequence: 1024 },
  data: { mode: 'public', shards: 4, shardTokens: 5000 },
});

test('a worker keeps in memory what fits, and on the disk what does not', () => {
  expect(placeOf(campaignOf(), 2 ** 26)).toBe('memory');
  expect(placeOf(large, learnerBytes(large))).toBe('memory');
  expect(placeOf(large, learnerBytes(large) - 1)).toBe('disk');
  expect(placeOf(large, diskLearnerBytes(large))).toBe('disk');
});

test('ailo-840m takes twelve models in memory, and less than two and a half GB with a disk', () => {
  expect(learnerBytes(large)).toBe(12 * 4 * 821_470_400);
  expect(diskLearnerBytes(large)).toBeLessThan(2.5e9);
});

test('what fits nowhere is refused, and texts of the person are learned from in memory only', () => {
  const refused = expect.objectContaining({ code: 'MEMORY_BUDGET_EXCEEDED' });
  expect(() => placeOf(large, 2 ** 30)).toThrow(refused);
  expect(() => placeOf({ ...large, data: { ...large.data, mode: 'local' } as never }, 2 ** 32)).toThrow(refused);
});
