import { beforeEach, describe, expect, it, vi } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { type KeeperOptions, WalletKeeper } from './wallet-keeper.ts';
import { decodeRecord } from './wallet-record.ts';
import { ADDRESS, countingRandom, PASSWORD, testStore, textOf, WORDS } from './wallet-testing.ts';
import { FREE_TRIES, type Tries } from './wallet-tries.ts';

const coded = (code: string) => expect.objectContaining({ code });
const OTHER = `${'abandon '.repeat(11)}about`;
const OTHER_ADDRESS = createWallet(OTHER).address;
const MINUTE_MS = 60_000;

const open = await textOf();
const closed = await textOf({}, PASSWORD);

/** A profile over starts of the browser; `start` makes the keeper of the next one. */
function profile(first?: unknown, second: unknown = first) {
  const browser = {
    stores: [testStore(first), testStore(second)] as const,
    nowMs: 10_000,
    isDiskFull: false,
    tries: undefined as Tries | undefined,
    changes: 0,
    records: () => browser.stores.map(({ content }) => decodeRecord(content)),
    start: () => WalletKeeper.open(options),
  };
  const options: KeeperOptions = {
    stores: browser.stores,
    plain: { read: async () => undefined, remove: async () => {} },
    tries: {
      read: async () => browser.tries,
      async write(tries) {
        if (browser.isDiskFull) throw new Error('the disk is full');
        browser.tries = tries;
      },
    },
    newWords: () => WORDS,
    random: countingRandom(),
    now: () => browser.nowMs,
    autoLockMinutes: 15,
    schedule: () => () => {},
    onChange: () => browser.changes++,
  };
  return browser;
}

beforeEach(() => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});

describe('without a password', () => {
  it('the wallet is open, spendable and shows its words', async () => {
    const keeper = await profile().start();
    expect(keeper.wallet?.address).toBe(ADDRESS);
    expect(keeper.spendable).toBe(true);
    expect(keeper.view).toEqual({ locked: 'no', hasPassword: false, backedUp: false, address: ADDRESS });
    expect(await keeper.words()).toBe(WORDS);
  });

  it('nothing locks it', async () => {
    const browser = profile(open);
    const keeper = await browser.start();
    await expect(keeper.lock()).rejects.toThrow(coded('PASSWORD_NOT_SET'));
    browser.nowMs += 1000 * MINUTE_MS;
    expect(keeper.spendable).toBe(true);
  });
});

describe('a password', () => {
  it('is asked for from the next start on, and both copies need it', async () => {
    const browser = profile(open);
    const keeper = await browser.start();
    const { wallet } = keeper;
    await expect(keeper.setPassword(undefined, 'short')).rejects.toThrow(coded('PASSWORD_TOO_SHORT'));
    await keeper.setPassword(undefined, PASSWORD);
    expect(keeper.wallet, 'the node goes on').toBe(wallet);
    expect(keeper.view).toMatchObject({ locked: 'no', hasPassword: true });
    for (const record of browser.records()) expect(record).not.toHaveProperty('openKey');

    const next = await browser.start();
    expect(next.wallet).toBeUndefined();
    expect(next.spendable).toBe(false);
    expect(next.view).toEqual({ locked: 'all', hasPassword: true, backedUp: false, address: ADDRESS });
    await expect(next.words()).rejects.toThrow(coded('PASSWORD_NEEDED'));
    await expect(next.unlock('incorrect horse')).rejects.toThrow(coded('PASSWORD_WRONG'));
    expect(next.wallet).toBeUndefined();
    await next.unlock(PASSWORD);
    expect(next.wallet?.address).toBe(ADDRESS);
    expect(next.spendable).toBe(true);
  });

  it('is changed by who knows it', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    await expect(keeper.setPassword(undefined, 'battery staple')).rejects.toThrow(coded('PASSWORD_NEEDED'));
    await expect(keeper.setPassword('incorrect horse', 'battery staple')).rejects.toThrow(coded('PASSWORD_WRONG'));
    await keeper.setPassword(PASSWORD, 'battery staple');
    const next = await browser.start();
    await expect(next.unlock(PASSWORD)).rejects.toThrow(coded('PASSWORD_WRONG'));
    await next.unlock('battery staple');
  });

  it('stays the old one when it could not be stored, and is the new one when one copy was', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    browser.stores[0].writeFault = 'not persisted and errored';
    await expect(keeper.setPassword(PASSWORD, 'battery staple')).rejects.toThrow(coded('WALLET_NOT_STORED'));
    await keeper.unlock(PASSWORD);
    browser.stores[0].writeFault = undefined;
    browser.stores[1].writeFault = 'not persisted';
    await expect(keeper.setPassword(PASSWORD, 'battery staple')).rejects.toThrow(coded('WALLET_STORED_ONCE'));
    await keeper.unlock('battery staple');
    browser.stores[1].writeFault = undefined;
    const next = await browser.start();
    await next.unlock('battery staple');
    const [first, second] = browser.records();
    expect(second).toEqual(first);
  });
});

describe('locking', () => {
  it('forgets the key at once', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    await Promise.all([keeper.unlock(PASSWORD), keeper.lock()]);
    expect(keeper.wallet).toBeUndefined();
    expect(keeper.view.locked).toBe('all');
    expect(browser.changes).toBe(2);
  });

  it('takes only spending away after a while without use', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    await keeper.unlock(PASSWORD);
    const { wallet } = keeper;
    browser.nowMs += 14 * MINUTE_MS;
    keeper.touch();
    browser.nowMs += 14 * MINUTE_MS;
    expect(keeper.spendable).toBe(true);
    browser.nowMs += MINUTE_MS;
    expect(keeper.spendable).toBe(false);
    expect(keeper.view.locked).toBe('spending');
    expect(keeper.wallet, 'the node goes on').toBe(wallet);
    await expect(keeper.words()).rejects.toThrow(coded('PASSWORD_NEEDED'));
    keeper.touch();
    keeper.setAutoLock(0);
    expect(keeper.spendable, 'only the password gives it back').toBe(false);
    await keeper.unlock(PASSWORD);
    expect(keeper.spendable).toBe(true);
    expect(keeper.wallet).toBe(wallet);
  });
});

describe('wrong passwords', () => {
  it('wait in the end, also after a new start; the right one makes that good', async () => {
    const browser = profile(closed);
    let keeper = await browser.start();
    for (let i = 0; i < FREE_TRIES; i++) {
      await expect(keeper.unlock('incorrect horse')).rejects.toThrow(coded('PASSWORD_WRONG'));
    }
    const wait = coded('PASSWORD_WAIT');
    await expect(keeper.unlock(PASSWORD)).rejects.toThrow(wait);
    await expect(keeper.words(PASSWORD)).rejects.toThrow(wait);
    await expect(keeper.setPassword(PASSWORD, 'battery staple')).rejects.toThrow(wait);
    keeper = await browser.start();
    await expect(keeper.unlock(PASSWORD)).rejects.toThrow('try again in 1 s');
    browser.nowMs += 1000;
    await expect(keeper.unlock('incorrect horse')).rejects.toThrow(coded('PASSWORD_WRONG'));
    browser.nowMs += 1999;
    await expect(keeper.unlock(PASSWORD)).rejects.toThrow(wait);
    browser.nowMs += 1;
    await keeper.unlock(PASSWORD);
    expect(browser.tries).toMatchObject({ failures: 0 });
  });

  it('count without being stored when that fails, and keep nobody out', async () => {
    const browser = profile(closed);
    browser.isDiskFull = true;
    const keeper = await browser.start();
    for (let i = 0; i < FREE_TRIES; i++) await expect(keeper.unlock('incorrect horse')).rejects.toThrow();
    await expect(keeper.unlock(PASSWORD)).rejects.toThrow(coded('PASSWORD_WAIT'));
    browser.nowMs += 1000;
    await keeper.unlock(PASSWORD);
  });

  it('count before they are known to be wrong', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    const unlocking = keeper.unlock('incorrect horse');
    await vi.waitFor(() => expect(browser.tries?.failures).toBe(1));
    await expect(unlocking).rejects.toThrow(coded('PASSWORD_WRONG'));
  });
});

describe('words', () => {
  it('restore another wallet, without a password and backed up', async () => {
    const browser = profile(closed);
    const keeper = await browser.start();
    await expect(keeper.restore('abandon about')).rejects.toThrow(coded('WORDS_INVALID'));
    await expect(keeper.unlock('incorrect horse')).rejects.toThrow(coded('PASSWORD_WRONG'));
    await keeper.restore(`  ${OTHER.toUpperCase()} `);
    expect(keeper.wallet?.address).toBe(OTHER_ADDRESS);
    expect(keeper.view).toEqual({ locked: 'no', hasPassword: false, backedUp: true, address: OTHER_ADDRESS });
    expect(browser.tries).toMatchObject({ failures: 0 });
    expect((await browser.start()).wallet?.address).toBe(OTHER_ADDRESS);
  });

  it('replace nothing when they cannot be stored', async () => {
    const browser = profile(open);
    const keeper = await browser.start();
    browser.stores[0].writeFault = 'not persisted';
    await expect(keeper.restore(OTHER)).rejects.toThrow(coded('WALLET_NOT_STORED'));
    expect(keeper.wallet?.address).toBe(ADDRESS);
    expect((await browser.start()).wallet?.address).toBe(ADDRESS);
  });

  it('that were written down are remembered, also when the clock was set back', async () => {
    const browser = profile(open);
    browser.nowMs = 0;
    const keeper = await browser.start();
    await keeper.confirmBackup();
    expect(keeper.view.backedUp).toBe(true);
    browser.stores[1].content = open;
    expect((await browser.start()).view.backedUp).toBe(true);
  });
});

describe('a wallet that cannot be read', () => {
  it('says so, does nothing, and is restored by its words', async () => {
    const browser = profile('{', '[');
    const keeper = await browser.start();
    const unreadable = coded('WALLET_UNREADABLE');
    expect(keeper.wallet).toBeUndefined();
    expect(keeper.view).toEqual({ locked: 'all', hasPassword: false, backedUp: false, error: unreadable });
    for (const work of [keeper.unlock(PASSWORD), keeper.words(), keeper.setPassword(undefined, PASSWORD)]) {
      await expect(work).rejects.toThrow(AiloError);
    }
    await expect(keeper.confirmBackup()).rejects.toThrow(unreadable);
    expect(browser.stores.map(({ content }) => content)).toEqual(['{', '[']);
    await keeper.restore(WORDS);
    expect(keeper.view).toMatchObject({ locked: 'no', address: ADDRESS });
    expect(keeper.view).not.toHaveProperty('error');
  });
});
