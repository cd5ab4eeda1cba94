import 'fake-indexeddb/auto';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from './database.ts';
import { indexedDbTexts, MAX_OWN_CHARACTERS, type OwnTexts } from './own-texts.ts';

const database = openDatabase();
let nowMs: number;
let texts: OwnTexts;

beforeEach(async () => {
  await Promise.all([database.texts.clear(), database.textWords.clear(), database.textUses.clear()]);
  nowMs = 1e12;
  texts = indexedDbTexts(database, () => nowMs++);
});
afterAll(() => database.close());

describe('the person’s own texts', () => {
  it('are listed with their sizes, and read in their order', async () => {
    await texts.add('diary.txt', 'Grüße 🌍');
    await texts.add('Pasted', 'Second');
    expect(await texts.list()).toMatchObject([
      { name: 'diary.txt', characters: 7, bytes: 12, addedMs: 1e12, uses: [] },
      { name: 'Pasted', characters: 6 },
    ]);
    expect(await texts.read()).toEqual(['Grüße 🌍', 'Second']);
    expect(await texts.count()).toBe(2);
  });

  it('tell what they were used for and when', async () => {
    await texts.add('a', 'One');
    await texts.note('poems', 0);
    await texts.add('b', 'Two');
    await texts.note('poems', 1);
    await texts.note('prose', 0);
    const [a, b] = await texts.list();
    expect(a!.uses).toMatchObject([
      { campaign: 'prose', rounds: 1 },
      { campaign: 'poems', rounds: 2 },
    ]);
    expect(b!.uses.map(({ rounds }) => rounds)).toEqual([1, 1]);
    expect(b!.uses[0]!.lastMs).toBeGreaterThan(b!.uses[1]!.lastMs);
  });

  it('are deleted with all that was kept of them, but rounds stay counted', async () => {
    await texts.add('secret-name', 'secret words');
    await texts.note('poems', 0);
    await texts.remove((await texts.list())[0]!.id);
    expect(await texts.read()).toEqual([]);
    const rows = await Promise.all(database.tables.map((table) => table.toArray()));
    expect(JSON.stringify(rows)).not.toContain('secret');
    expect(await texts.roundsOf('poems')).toBe(1);
    expect(await texts.roundsOf('prose')).toBe(0);
  });

  it('refuse what is empty and what is too much', async () => {
    const invalid = { code: 'OWN_TEXT_INVALID' };
    await expect(texts.add('a', ' \n')).rejects.toMatchObject(invalid);
    await texts.add('half', 'x'.repeat(MAX_OWN_CHARACTERS / 2 + 1));
    await expect(texts.add('half', 'x'.repeat(MAX_OWN_CHARACTERS / 2))).rejects.toMatchObject(invalid);
    expect(await texts.count()).toBe(1);
  });
});
