import { expect, test } from 'vitest';
import { campaignOf } from '../../../server/campaigns/testing.ts';
import { configJson } from '../hugging-face.ts';
import { PRESETS } from '../presets.ts';
import { diskBytes, diskLearnerBytes, learnerBytes, placeOf } from './memory.ts';

const large = campaignOf({
  ...{ model: { ...configJson(PRESETS['ailo-840m']) }, batch: 1, sequence: 1024 },
  data: { mode: 'public', shards: 4, shardTokens: 5000 },
});

const disk = { diskBytes: 1e12 };

test('a worker keeps in memory what fits, and on the disk what does not', () => {
  expect(placeOf(campaignOf(), { memoryBytes: 2 ** 26, diskBytes: 0 })).toBe('memory');
  expect(placeOf(large, { memoryBytes: learnerBytes(large), diskBytes: 0 })).toBe('memory');
  expect(placeOf(large, { ...disk, memoryBytes: learnerBytes(large) - 1 })).toBe('disk');
  expect(placeOf(large, { memoryBytes: diskLearnerBytes(large), diskBytes: diskBytes(large) })).toBe('disk');
});

test('ailo-840m takes twelve models in memory, or less than two and a half GB and a disk', () => {
  expect(learnerBytes(large)).toBe(12 * 4 * 821_470_400);
  expect(diskLearnerBytes(large)).toBeLessThan(2.5e9);
  expect(diskBytes(large)).toBeLessThan(28e9);
});

test('what fits nowhere is refused, and texts of the person are learned from in memory only', () => {
  const refused = (code: string) => expect.objectContaining({ code });
  const some = { ...disk, memoryBytes: 2 ** 32 };
  expect(() => placeOf(large, { ...disk, memoryBytes: 2 ** 30 })).toThrow(refused('MEMORY_BUDGET_EXCEEDED'));
  expect(() => placeOf(large, { ...some, diskBytes: 1e10 })).toThrow(refused('DISK_BUDGET_EXCEEDED'));
  const local = { ...large, data: { ...large.data, mode: 'local' } as never };
  expect(() => placeOf(local, some)).toThrow(refused('MEMORY_BUDGET_EXCEEDED'));
});
