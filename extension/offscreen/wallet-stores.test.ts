import * as v from 'valibot';
import { expect, it } from 'vitest';
import { Notice } from '../messages.ts';
import { extensionCopy } from './wallet-stores.ts';
import { textOf } from './wallet-testing.ts';

it('the copy in the extension’s store is read and written by notices that exist', async () => {
  const stored: { text?: string } = {};
  const copy = extensionCopy(async (notice) => {
    const { type } = v.parse(Notice, notice);
    if (type === 'readCopy') return { ...stored };
    return Object.assign(stored, { text: 'text' in notice && notice.text });
  });
  expect(await copy.read()).toBeUndefined();
  const text = await textOf();
  await copy.write(text);
  expect(await copy.read()).toBe(text);
});

it('no answer is not “nothing there”', async () => {
  for (const answer of [undefined, null, true, 'text', { words: '' }]) {
    await expect(extensionCopy(async () => answer).read()).rejects.toThrow();
  }
});
