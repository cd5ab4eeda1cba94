import * as v from 'valibot';
import { expect, test } from 'vitest';
import { Journal } from './journal.ts';
import { JOURNAL_RECORD_BYTES } from './limits.ts';
import { MemoryDisk } from './testing.ts';

const Schema = v.strictObject({ step: v.number() });

test('the newest record counts', async () => {
  const file = await new MemoryDisk().start().open('journal');
  const journal = await Journal.open(file, Schema);
  expect(journal.last).toBeUndefined();
  for (const step of [1, 2, 3]) await journal.write({ step });
  const again = await Journal.open(file, Schema);
  expect(again.last).toEqual({ step: 3 });
  await again.write({ step: 4 });
  expect((await Journal.open(file, Schema)).last).toEqual({ step: 4 });
});

test.each([0, 1, 2, 3])('whatever of a write a crash leaves, there is a whole record (%i)', async (seed) => {
  const disk = new MemoryDisk(() => seed);
  const journal = await Journal.open(await disk.start(4 + (seed % 2)).open('journal'), Schema);
  for (const step of [1, 2]) await journal.write({ step });
  await expect(journal.write({ step: 3 })).rejects.toThrow();
  const { last } = await Journal.open(await disk.start().open('journal'), Schema);
  expect(last?.step).toBeOneOf([2, 3]);
});

test('what is no record, or another kind of record, is none', async () => {
  const file = await new MemoryDisk().start().open('journal');
  await file.write(0, new Uint8Array(2 * JOURNAL_RECORD_BYTES).fill(0xff));
  expect((await Journal.open(file, Schema)).last).toBeUndefined();
  await (await Journal.open(file, Schema)).write({ step: 1 });
  expect((await Journal.open(file, v.strictObject({ other: v.string() }))).last).toBeUndefined();
});
