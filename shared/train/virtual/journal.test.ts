import { expect, test } from 'vitest';
import { Journal, type JournalRecord } from './journal.ts';
import { JOURNAL_RECORD_BYTES } from './limits.ts';
import { MemoryDisk } from './testing.ts';

const record: Omit<JournalRecord, 'sequence'> = { layout: 'tiny', start: '1234', step: 0, began: 0, phase: 'ready' };

test('the newest record counts', async () => {
  const files = new MemoryDisk().start();
  const journal = await Journal.open(await files.open('journal'));
  expect(journal.last).toBeUndefined();
  for (const step of [1, 2, 3]) await journal.write({ ...record, step });
  expect((await Journal.open(await files.open('journal'))).last).toEqual({ ...record, step: 3, sequence: 3 });
});

test.each([0, 1, 2, 3])('whatever of a write a crash leaves, there is a whole record (%i)', async (seed) => {
  const disk = new MemoryDisk(() => seed);
  const journal = await Journal.open(await disk.start(4 + (seed % 2)).open('journal'));
  for (const step of [1, 2]) await journal.write({ ...record, step });
  await expect(journal.write({ ...record, step: 3 })).rejects.toThrow();
  const { last } = await Journal.open(await disk.start().open('journal'));
  expect(last?.step).toBeOneOf([2, 3]);
});

test('what is no record is none', async () => {
  const files = new MemoryDisk().start();
  const file = await files.open('journal');
  await file.write(0, new Uint8Array(2 * JOURNAL_RECORD_BYTES).fill(0xff));
  expect((await Journal.open(file)).last).toBeUndefined();
});
