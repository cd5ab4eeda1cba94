import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { textFile } from './text-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-text-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));
const open = () => textFile(join(folder, 'diary.txt'), join(folder, 'node', 'text-uses.json'), () => 7);

describe('a text file', () => {
  it('is read anew each time, and is none while it is empty', async () => {
    const texts = open();
    await writeFile(join(folder, 'diary.txt'), 'Dear diary');
    expect(await texts.read()).toEqual(['Dear diary']);
    await writeFile(join(folder, 'diary.txt'), '');
    expect(await texts.read()).toEqual([]);
  });

  it('remembers over a restart what it was used for', async () => {
    await open().note('a', 0);
    await open().note('a', 1);
    await open().note('b', 0);
    expect(await open().roundsOf('a')).toBe(2);
    expect(await open().roundsOf('c')).toBe(0);
  });

  it('says what is wrong with it', async () => {
    const invalid = { code: 'TEXT_FILE_INVALID' };
    await expect(open().read()).rejects.toMatchObject(invalid);
    await open().note('a', 0);
    await writeFile(join(folder, 'node', 'text-uses.json'), '[{"campaign":');
    await expect(open().roundsOf('a')).rejects.toMatchObject(invalid);
  });
});
