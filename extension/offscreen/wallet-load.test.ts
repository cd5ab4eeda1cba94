import { beforeEach, describe, expect, it, vi } from 'vitest';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { type LoadOptions, loadWallet } from './wallet-load.ts';
import { decodeRecord } from './wallet-record.ts';
import { ADDRESS, countingRandom, PASSWORD, testStore, textOf, WORDS } from './wallet-testing.ts';

const coded = (code: string) => expect.objectContaining({ code });
const OTHER = `${'abandon '.repeat(11)}about`;

function profile(first?: unknown, second?: unknown, plainWords?: string) {
  const stores = [testStore(first), testStore(second)] as const;
  const plain = {
    words: plainWords,
    read: async () => plain.words,
    async remove() {
      plain.words = undefined;
    },
  };
  const options: LoadOptions = { stores, plain, newWords: () => OTHER, random: countingRandom(), now: () => 5000 };
  return { stores, plain, options, kept: () => stores.map(({ content }) => decodeRecord(content)?.address) };
}

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

describe('the wallet of a profile', () => {
  it('is made once', async () => {
    const { options, kept, stores } = profile();
    const record = await loadWallet(options);
    expect(record).toMatchObject({ address: createWallet(OTHER).address, backedUp: false, savedMs: 5000 });
    expect(kept()).toEqual([record.address, record.address]);
    expect(await loadWallet({ ...options, newWords: () => WORDS })).toEqual(record);
    stores[0].content = undefined;
    expect(await loadWallet({ ...options, newWords: () => WORDS })).toEqual(record);
  });

  it('is never replaced because it cannot be read', async () => {
    for (const [first, second] of [
      ['{', undefined],
      [undefined, '{'],
      ['{', '{'],
    ]) {
      const { options, stores } = profile(first, second);
      await expect(loadWallet(options)).rejects.toThrow(coded('WALLET_UNREADABLE'));
      expect(stores.map(({ content }) => content)).toEqual([first, second]);
    }
    for (const at of [0, 1] as const) {
      const { options, stores } = profile();
      stores[at].isUnreadable = true;
      await expect(loadWallet(options)).rejects.toThrow(coded('WALLET_UNREADABLE'));
      expect(stores.map(({ content }) => content)).toEqual([undefined, undefined]);
    }
  });

  it('is not used when it could not be kept', async () => {
    const { options, stores } = profile();
    stores[0].writeFault = 'not persisted';
    await expect(loadWallet(options)).rejects.toThrow(coded('WALLET_NOT_STORED'));
  });

  it('is used with one copy, and has two from the next start on', async () => {
    const { options, stores, kept } = profile();
    stores[1].writeFault = 'not persisted and errored';
    const { address } = await loadWallet(options);
    expect(kept()).toEqual([address, undefined]);
    stores[1].writeFault = undefined;
    await loadWallet(options);
    expect(kept()).toEqual([address, address]);
  });
});

describe('words that an earlier version stored in plain', () => {
  it('are sealed, then removed', async () => {
    const { options, plain, kept } = profile(undefined, undefined, WORDS);
    expect(await loadWallet(options)).toMatchObject({ address: ADDRESS });
    expect(kept()).toEqual([ADDRESS, ADDRESS]);
    expect(plain.words).toBeUndefined();
  });

  it('stay until a sealed copy lies there', async () => {
    const { options, plain, stores } = profile(undefined, undefined, WORDS);
    stores[0].writeFault = 'not persisted';
    await expect(loadWallet(options)).rejects.toThrow(coded('WALLET_NOT_STORED'));
    expect(plain.words).toBe(WORDS);
    stores[0].writeFault = undefined;
    await loadWallet(options);
    expect(plain.words).toBeUndefined();
  });

  it('do not keep the wallet from being used when they cannot be removed', async () => {
    const { options, plain } = profile(undefined, undefined, WORDS);
    const remove = () => Promise.reject(new Error('the disk is full'));
    expect(await loadWallet({ ...options, plain: { ...plain, remove } })).toMatchObject({ address: ADDRESS });
  });

  it('are removed at the next start when that was interrupted, also when there is a password by then', async () => {
    const text = await textOf({}, PASSWORD);
    const { options, plain } = profile(text, text, WORDS);
    expect(await loadWallet(options)).toEqual(decodeRecord(text));
    expect(plain.words).toBeUndefined();
  });

  it('are taken when the copies are damaged, and not thrown away when they are another wallet’s', async () => {
    expect(await loadWallet(profile('{', undefined, WORDS).options)).toMatchObject({ address: ADDRESS });
    const text = await textOf();
    const { options, plain } = profile(text, text, OTHER);
    expect(await loadWallet(options)).toMatchObject({ address: ADDRESS });
    expect(plain.words).toBe(OTHER);
  });

  it('are never replaced because they are damaged', async () => {
    const { options, plain, stores } = profile(undefined, undefined, 'legal winner');
    await expect(loadWallet(options)).rejects.toThrow(coded('WALLET_UNREADABLE'));
    expect(plain.words).toBe('legal winner');
    expect(stores.map(({ content }) => content)).toEqual([undefined, undefined]);
  });
});
