import 'fake-indexeddb/auto';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openDatabase } from './database.ts';
import { type Copy, chooseCopy, loadCopies, saveCopies } from './wallet-copies.ts';
import { decodeRecord } from './wallet-record.ts';
import { databaseCopy } from './wallet-stores.ts';
import { recordOf, type TestStore, testStore, textOf, WRITE_FAULTS } from './wallet-testing.ts';

const coded = (code: string) => expect.objectContaining({ code });
const older = await textOf({ savedMs: 1000 });
const newer = await textOf({ savedMs: 2000, backedUp: true });
const sameTime = await textOf({ savedMs: 1000, backedUp: true });
const good = (text: string): Copy => ({ kind: 'good', text, record: decodeRecord(text)! });
const missing: Copy = { kind: 'missing' };
const damaged: Copy = { kind: 'damaged' };
const unread: Copy = { kind: 'unread', reason: 'no answer' };

describe('of two copies', () => {
  it.each<[string, Copy, Copy, number, 0 | 1 | undefined]>([
    ['equal ones', good(older), good(older), 1000, undefined],
    ['a newer first', good(newer), good(older), 2000, 1],
    ['a newer second', good(older), good(newer), 2000, 0],
    ['one of the same time', good(older), good(sameTime), 1000, 1],
    ['a lost first', missing, good(older), 1000, 0],
    ['a lost second', good(older), missing, 1000, 1],
    ['a damaged first', damaged, good(older), 1000, 0],
    ['a damaged second', good(older), damaged, 1000, 1],
    ['a first nobody can see', unread, good(older), 1000, undefined],
    ['a second nobody can see', good(older), unread, 1000, undefined],
  ])('%s', (_, first, second, savedMs, mend) => {
    const choice = chooseCopy([first, second]);
    expect(choice).toMatchObject({ kind: 'use', record: { savedMs } });
    expect(choice.kind === 'use' && choice.mend).toBe(mend);
  });

  it('none makes room for a new wallet only when there is nothing at all', () => {
    expect(chooseCopy([missing, missing])).toEqual({ kind: 'none' });
    for (const pair of [
      [damaged, damaged],
      [missing, damaged],
      [damaged, missing],
    ] as [Copy, Copy][]) {
      expect(chooseCopy(pair)).toEqual({ kind: 'unreadable', reason: 'it is damaged' });
    }
    for (const pair of [
      [unread, missing],
      [missing, unread],
      [unread, damaged],
      [unread, unread],
    ] as [Copy, Copy][]) {
      expect(chooseCopy(pair)).toEqual({ kind: 'unreadable', reason: 'no answer' });
    }
  });
});

describe('the two stores', () => {
  const database = openDatabase();
  const first = databaseCopy(database);
  let second: TestStore;

  beforeEach(async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    await database.values.clear();
    second = testStore();
  });
  afterAll(() => database.close());

  it('have nothing at first', async () => {
    expect(await loadCopies([first, second])).toEqual({ kind: 'none' });
  });

  it('mend each other', async () => {
    await first.write(older);
    second.content = newer;
    await loadCopies([first, second]);
    expect(await first.read()).toBe(newer);
    second.content = undefined;
    await loadCopies([first, second]);
    expect(second.content).toBe(newer);
    await first.write('{');
    expect(await loadCopies([first, second])).toMatchObject({ kind: 'use', record: { savedMs: 2000 } });
    expect(await first.read()).toBe(newer);
  });

  it('do without mending when that fails', async () => {
    await first.write(older);
    second.writeFault = 'not persisted and errored';
    expect(await loadCopies([first, second])).toMatchObject({ kind: 'use' });
    second.isUnreadable = true;
    expect(await loadCopies([first, second])).toMatchObject({ kind: 'use' });
  });

  it('say so when neither can be read', async () => {
    second.isUnreadable = true;
    expect(await loadCopies([first, second])).toEqual({ kind: 'unreadable', reason: 'the disk is on fire' });
    expect(await first.read()).toBeUndefined();
  });
});

describe('storing', () => {
  it('puts the record into both', async () => {
    const stores = [testStore(older), testStore(older)] as const;
    expect(await saveCopies(stores, decodeRecord(newer)!)).toBeUndefined();
    expect(stores.map(({ content }) => content)).toEqual([newer, newer]);
  });

  it.each(WRITE_FAULTS)('when the first is %s', async (fault) => {
    const stores = [testStore(older), testStore(older)] as const;
    stores[0].writeFault = fault;
    const saving = saveCopies(stores, decodeRecord(newer)!);
    if (fault === 'persisted but errored') {
      expect(await saving, 'it is there, which is what counts').toBeUndefined();
      expect(stores.map(({ content }) => content)).toEqual([newer, newer]);
    } else {
      await expect(saving).rejects.toThrow(coded('WALLET_NOT_STORED'));
      expect(
        stores.map(({ content }) => content),
        'nothing changed',
      ).toEqual([older, older]);
    }
  });

  it.each(WRITE_FAULTS)('when the second is %s', async (fault) => {
    const stores = [testStore(older), testStore(older)] as const;
    stores[1].writeFault = fault;
    const incomplete = await saveCopies(stores, decodeRecord(newer)!);
    if (fault === 'persisted but errored') expect(incomplete).toBeUndefined();
    else expect(incomplete).toEqual(coded('WALLET_STORED_ONCE'));
    stores[1].writeFault = undefined;
    expect(await loadCopies(stores), 'the next start finds the newer').toMatchObject({ record: { savedMs: 2000 } });
    expect(stores.map(({ content }) => content)).toEqual([newer, newer]);
  });

  it('leaves a good copy wherever it is cut short', async () => {
    const record = await recordOf({ savedMs: 3000 });
    for (const cutAfter of [0, 1, 2]) {
      const stores = [testStore(newer), testStore(newer)] as const;
      let writes = 0;
      const dying = stores.map((store) => ({
        read: () => store.read(),
        write: async (text: string) => {
          if (writes++ < cutAfter) await store.write(text);
          else await new Promise(() => {});
        },
      }));
      void saveCopies([dying[0]!, dying[1]!], record);
      await new Promise((resolve) => setTimeout(resolve));
      const savedMs = cutAfter === 0 ? 2000 : 3000;
      expect(await loadCopies(stores)).toMatchObject({ kind: 'use', record: { savedMs } });
    }
  });
});
