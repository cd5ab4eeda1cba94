/** The wallet's vault in the real extension: password, locking, two copies, backup and restore. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { normaliseWords } from '../../shared/wallet/words.ts';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { violations } from './violations.ts';

const PASSWORD = 'correct horse battery';
const WORDS = 'legal winner thank year wave sausage worth useful legal winner thank yellow';
const POLL = { timeout: 60_000 };

let folder: string;
let coordinator: Coordinator;
let extension: Awaited<ReturnType<typeof buildForTest>>;
/** A fresh one for each test. */
let profileDir: string;
let profile: Profile;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-vault-'));
  const log = pino({ level: 'warn' }, pino.destination(2));
  coordinator = await startCoordinator({ dataDir: folder, host: '127.0.0.1', port: 0, models: [], log });
  extension = await buildForTest(coordinator.url);
});

afterAll(async () => {
  await extension?.remove();
  await coordinator?.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  profileDir = await mkdtemp(join(tmpdir(), 'ailo-profile-'));
  profile = await openProfile(extension.dir, { profileDir });
});

afterEach(async () => {
  const { problems } = profile;
  await profile.close();
  await rm(profileDir, { recursive: true, force: true });
  expect(problems).toEqual([]);
});

it('locks with a password, and unlocks with the right one only', async () => {
  const popup = await openWallet(profile);
  const address = await addressOf(popup);
  await choosePassword(popup);
  await popup.getByRole('button', { name: 'Lock now' }).click();
  const password = popup.getByLabel('Password', { exact: true });
  await password.waitFor();
  expect(await status(popup)).toBe('Locked');
  expect(await badge(profile)).toEqual({ text: 'lock', title: 'Ailo: The wallet is locked. Its password opens it.' });
  await popup.getByRole('tab', { name: 'Chat' }).click();
  const alert = popup.getByRole('alert').filter({ hasText: 'The wallet is locked' });
  await alert.getByRole('button', { name: 'Go to the wallet' }).click();

  expect(await password.evaluate((field) => field === document.activeElement)).toBe(true);
  await popup.keyboard.type('wrong horse battery');
  await popup.keyboard.press('Enter');
  await popup.getByRole('alert').filter({ hasText: 'not the password' }).waitFor();
  await popup.reload();
  expect(await status(popup)).toBe('Locked');
  await unlock(popup);
  expect(await addressOf(popup)).toBe(address);
  await expect.poll(() => status(popup), POLL).toBe('Connected');
  await expect.poll(() => badge(profile)).toEqual({ text: '', title: 'Ailo: not contributing' });
});

it('is locked after a new start of the browser, and the same wallet when unlocked', async () => {
  const popup = await openWallet(profile);
  const address = await addressOf(popup);
  await choosePassword(popup);
  await profile.close();
  profile = await openProfile(extension.dir, { profileDir });
  const again = await openWallet(profile);
  expect(await again.getByTestId('address').count()).toBe(0);
  await unlock(again);
  expect(await addressOf(again)).toBe(address);
});

it('counts wrong passwords, and makes the next one wait in the end', async () => {
  const popup = await openWallet(profile);
  await choosePassword(popup);
  await popup.getByRole('button', { name: 'Lock now' }).click();
  await popup.getByLabel('Password', { exact: true }).fill('wrong horse battery');
  await popup.getByRole('button', { name: 'Unlock' }).click();
  await popup.getByRole('alert').filter({ hasText: 'not the password' }).waitFor();
  expect(await stored(popup, 'tries')).toMatchObject({ failures: 1 });
  await put(popup, 'tries', { failures: 30, lastMs: Date.now() });
  await restartHost(popup);
  await popup.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await popup.getByRole('button', { name: 'Unlock' }).click();
  await popup.getByRole('alert').filter({ hasText: 'Too many wrong passwords' }).waitFor();
});

it('finds its wallet again when one of its two stores is lost, and no word lies anywhere in plain', async () => {
  const popup = await openWallet(profile);
  const address = await addressOf(popup);
  const copy = await stored(popup, 'vault');
  expect(await extensionCopy(popup)).toBe(copy);

  await popup.evaluate(() => chrome.storage.local.clear());
  await restartHost(popup);
  await expect.poll(() => extensionCopy(popup), POLL).toBe(copy);

  await forget(popup, 'vault');
  await restartHost(popup);
  await expect.poll(() => stored(popup, 'vault'), POLL).toBe(copy);
  expect(await addressOf(popup)).toBe(address);

  const words = await showWords(popup);
  expect(createWallet(words.join(' ')).address).toBe(address);
  const everything = await popup.evaluate(async () =>
    JSON.stringify([{ ...localStorage }, await chrome.storage.local.get()]),
  );
  const contents = everything + JSON.stringify(await stored(popup, 'vault'));
  expect(contents).toContain(address);
  expect(contents).not.toContain(words.slice(0, 2).join(' '));
});

it('seals words that an earlier version stored in plain', async () => {
  const popup = await openWallet(profile);
  await addressOf(popup);
  await forget(popup, 'vault');
  await popup.evaluate(() => chrome.storage.local.clear());
  await put(popup, 'wallet', WORDS);
  await restartHost(popup);
  await expect.poll(() => addressOf(popup), POLL).toBe(createWallet(WORDS).address);
  expect(await stored(popup, 'wallet')).toBeUndefined();
});

it('never makes a new wallet where one cannot be read; its words restore it', async () => {
  const popup = await openWallet(profile);
  await addressOf(popup);
  await put(popup, 'vault', '{');
  await popup.evaluate(() => chrome.storage.local.set({ vault: '{' }));
  await restartHost(popup);
  await popup.getByRole('alert').filter({ hasText: 'cannot be read' }).waitFor();
  expect(await stored(popup, 'vault')).toBe('{');
  await restore(popup, WORDS);
  expect(await addressOf(popup)).toBe(createWallet(WORDS).address);
});

it('is backed up in writing, and the check is one', async () => {
  const popup = await openWallet(profile);
  await popup.getByText('Not written down yet').waitFor();
  const words = await showWords(popup);
  await popup.getByRole('button', { name: 'I have written them down' }).click();
  const fields = popup.getByLabel(/^Word \d+$/);
  expect(await fields.count()).toBe(3);
  for (const field of await fields.all()) await field.fill('zebra');
  await popup.getByRole('button', { name: 'Check' }).click();
  await popup
    .getByRole('alert')
    .filter({ hasText: /Word \d+ is not the one shown/ })
    .waitFor();
  for (const field of await fields.all()) {
    const place = Number((await field.getAttribute('name'))!.replace('word-', ''));
    await field.fill(words[place - 1]!);
  }
  await popup.getByRole('button', { name: 'Check' }).click();
  await popup.getByText('Written down and checked', { exact: true }).waitFor();
  // A popup that opens anew shows what it showed last, so only the stores can tell.
  expect(await stored(popup, 'vault')).toContain('\\"backedUp\\":true');
  expect(await extensionCopy(popup)).toBe(await stored(popup, 'vault'));
});

it('becomes the wallet of the words it is given', async () => {
  const popup = await openWallet(profile);
  const before = await addressOf(popup);
  await popup.getByRole('button', { name: 'Restore' }).click();
  await popup.getByRole('textbox', { name: 'words' }).fill(`${'abandon '.repeat(11)}elephantine`);
  await popup.getByRole('button', { name: 'Restore' }).click();
  expect(await addressOf(popup), 'not before it is confirmed').toBe(before);
  await popup.getByRole('checkbox').check();
  await popup.getByRole('button', { name: 'Restore' }).click();
  await popup.getByRole('alert').filter({ hasText: 'word 12 is not in the list' }).waitFor();
  await restore(popup, WORDS.toUpperCase());
  const { address } = createWallet(normaliseWords(WORDS));
  await expect.poll(() => addressOf(popup)).toBe(address);
  await expect.poll(() => status(popup), POLL).toBe('Connected');
});

it('has no accessibility violation in any of its views, light or dark', async () => {
  const popup = await openWallet(profile);
  const views: [name: string, enter: () => Promise<void>][] = [
    ['security', async () => {}],
    ['password', () => popup.getByRole('button', { name: 'Choose the password' }).click()],
    ['locking', () => choosePassword(popup)],
    ['words', async () => void (await showWords(popup, PASSWORD))],
    ['check', () => popup.getByRole('button', { name: 'I have written them down' }).click()],
    [
      'restore',
      async () => {
        await popup.reload();
        await popup.getByRole('button', { name: 'Restore' }).click();
      },
    ],
    [
      'unlock',
      async () => {
        await popup.getByRole('button', { name: 'Cancel' }).click();
        await popup.getByRole('button', { name: 'Lock now' }).click();
        await popup.getByRole('button', { name: 'Unlock' }).waitFor();
      },
    ],
  ];
  for (const [name, enter] of views) {
    await enter();
    for (const colorScheme of ['light', 'dark'] as const) {
      await popup.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      expect(await violations(popup), `${name}, ${colorScheme}`).toEqual([]);
    }
  }
});

async function openWallet(profile: Profile): Promise<Page> {
  const popup = await profile.open('popup');
  await popup.setViewportSize({ width: 380, height: 560 });
  await popup.getByRole('tab', { name: 'Wallet' }).click();
  await popup.getByRole('heading', { name: /Security|locked/ }).waitFor();
  // Behind the consent page, which opened meanwhile, each click would wait seconds for a frame.
  await popup.bringToFront();
  return popup;
}

async function addressOf(popup: Page): Promise<string> {
  // Shown short; whole where one looks closer.
  const address = popup.getByTestId('address').filter({ hasText: /^alc1/ });
  return (await address.getAttribute('title'))!;
}

function status(popup: Page): Promise<string | null> {
  return popup.getByRole('status').first().textContent();
}

async function choosePassword(popup: Page): Promise<void> {
  const choose = popup.getByRole('button', { name: 'Choose the password' });
  if (await choose.isVisible()) await choose.click();
  await popup.getByLabel('New password', { exact: true }).fill(PASSWORD);
  await popup.getByLabel('New password once more').fill(PASSWORD);
  await popup.getByRole('button', { name: 'Save' }).click();
  await popup.getByText('The password is set.').waitFor();
}

async function unlock(popup: Page): Promise<void> {
  await popup.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await popup.getByRole('button', { name: 'Unlock' }).click();
  await popup.getByTestId('address').waitFor();
}

async function showWords(popup: Page, password?: string): Promise<string[]> {
  await popup.getByRole('button', { name: /the recovery words/ }).click();
  if (password !== undefined) await popup.getByLabel('Password', { exact: true }).fill(password);
  await popup.getByRole('button', { name: 'Show the words' }).click();
  const words = popup.getByRole('list', { name: 'Recovery words' }).getByRole('listitem');
  await words.nth(11).waitFor();
  return words.allTextContents();
}

async function restore(popup: Page, words: string): Promise<void> {
  await popup.getByRole('textbox', { name: 'words' }).fill(words);
  await popup.getByRole('checkbox').check();
  await popup.getByRole('button', { name: 'Restore' }).click();
  await popup.getByText('Written down and checked').waitFor();
}

/** The offscreen document dies and comes back, as after a crash; resolves when the popup sees the new one. */
async function restartHost(popup: Page): Promise<void> {
  await popup.evaluate(() => chrome.offscreen.closeDocument());
  await popup.reload();
  await popup.waitForFunction(() => !document.querySelector('.skeleton'));
  await popup.evaluate(async () => {
    for (;;) {
      if (
        (await chrome.runtime.getContexts({ contextTypes: ['OFFSCREEN_DOCUMENT' as chrome.runtime.ContextType] }))
          .length
      )
        return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}

function badge(profile: Profile): Promise<{ text: string; title: string }> {
  return profile.context.serviceWorkers()[0]!.evaluate(async () => ({
    text: await chrome.action.getBadgeText({}),
    title: await chrome.action.getTitle({}),
  }));
}

async function extensionCopy(popup: Page): Promise<unknown> {
  return popup.evaluate(async () => (await chrome.storage.local.get('vault')).vault);
}

/** One transaction over the extension's values. */
function values(popup: Page, work: 'get' | 'put' | 'delete', argument: unknown): Promise<unknown> {
  return popup.evaluate(
    ([work, argument]) =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('ailo');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const transaction = opening.result.transaction('values', 'readwrite');
          const done = transaction.objectStore('values')[work](argument as IDBValidKey);
          transaction.oncomplete = () => {
            opening.result.close();
            resolve(done.result);
          };
          transaction.onerror = () => reject(transaction.error);
        };
      }),
    [work, argument] as const,
  );
}

async function stored(popup: Page, name: string): Promise<unknown> {
  return ((await values(popup, 'get', name)) as { value: unknown } | undefined)?.value;
}

async function put(popup: Page, name: string, value: unknown): Promise<void> {
  await values(popup, 'put', { name, value });
}

async function forget(popup: Page, name: string): Promise<void> {
  await values(popup, 'delete', name);
}
