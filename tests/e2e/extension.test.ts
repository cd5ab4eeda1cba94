/** The extension as a person meets it: consent, chat, wallet and earnings in a real Chromium on a real network. */
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { hasStories, type Network, STORIES_NAME, startNetwork } from './network.ts';
import { violations } from './violations.ts';

const PROMPT = 'Once upon a time';
/** Long enough that a person can interrupt it, and still within the model's context of 512. */
const LONG = 480;
const POLL = { timeout: 60_000 };
const TABS = ['Chat', 'Wallet', 'Earnings'];

if (!hasStories) console.warn('skipped: there is no folder shared/models/stories260k beside the project');

describe.skipIf(!hasStories)('the extension', () => {
  let network: Network;
  let extension: Awaited<ReturnType<typeof buildForTest>>;
  /** A fresh one for each test. */
  let profile: Profile;

  beforeAll(async () => {
    network = await startNetwork();
    extension = await buildForTest(network.coordinator.url);
  });

  afterAll(async () => {
    await extension?.remove();
    await network?.close();
  });

  beforeEach(async () => {
    profile = await openProfile(extension.dir);
  });

  afterEach(async () => {
    const { problems } = profile;
    await profile.close();
    expect(problems).toEqual([]);
  });

  it('asks for consent on the first start and contributes nothing before it', async () => {
    await expect.poll(() => consentPages(profile).length).toBe(1);
    const popup = await profile.open('popup');
    for (const page of consentPages(profile)) await page.close();
    await show(popup, 'Earnings');
    const contribute = popup.getByRole('switch', { name: 'Contribute' });
    expect(await contribute.getAttribute('aria-checked')).toBe('false');
    await contribute.click();
    await expect.poll(() => consentPages(profile).length, { message: 'the switch leads to it' }).toBe(1);
    expect(await contribute.getAttribute('aria-checked')).toBe('false');
    expect(await popup.getByTestId('stage').count()).toBe(0);
  });

  it('computes in an isolated document, as threads need it', async () => {
    const popup = await profile.open('popup');
    await popup.getByRole('tabpanel').waitFor();
    await expect.poll(() => profile.targets()).toContain('background_page');
    expect(await profile.evaluateOffscreen('crossOriginIsolated')).toBe(true);
  });

  it('contributes after consent, earns, shows it, and stops when switched off', async () => {
    const consent = await profile.open('onboarding');
    const username = consent.getByRole('textbox', { name: 'Username' });
    const start = consent.getByRole('button', { name: 'Start contributing' });
    await username.fill('No Such Name');
    await start.click();
    expect(await username.evaluate((field: HTMLInputElement) => field.validity.valid)).toBe(false);
    expect(await start.isVisible(), 'a bad name is not accepted').toBe(true);
    await username.fill('ada');
    await start.click();

    await consent.getByRole('link', { name: 'Open the chat' }).click();
    await consent.getByRole('textbox', { name: 'Message' }).waitFor();

    const popup = await profile.open('popup');
    await show(popup, 'Earnings');
    await expect.poll(() => text(popup, 'stage'), POLL).toMatch(/^part \d of 4 of stories260k$/i);
    expect(await text(popup, 'earned-total')).toBe('0 ALC');
    await network.ask(PROMPT, 20);
    await expect.poll(() => text(popup, 'earned-total'), POLL).toMatch(/^0\.\d+ ALC$/);
    const earned = await text(popup, 'earned-total');
    await show(popup, 'Wallet');
    // What was verified here comes a moment after what the coordinator says.
    await expect.poll(() => text(popup, 'balance-available'), POLL).toBe(earned);
    await expect.poll(() => popup.getByText(`+${earned}`).count(), POLL).toBe(1);
    await popup.getByText('@ada').waitFor();

    await show(popup, 'Earnings');
    const contribute = popup.getByRole('switch', { name: 'Contribute' });
    await contribute.click();
    await expect.poll(() => contribute.getAttribute('aria-checked')).toBe('false');
    await expect.poll(() => popup.getByTestId('stage').count(), POLL).toBe(0);
  });

  it('says in place that a username is taken, and takes another', async () => {
    const first = await openProfile(extension.dir);
    try {
      await onlyChat(await first.open('onboarding'), 'grace');
      const popup = await first.open('popup');
      await show(popup, 'Wallet');
      await popup.getByText('@grace').waitFor();
    } finally {
      await first.close();
    }
    const consent = await profile.open('onboarding');
    await onlyChat(consent, 'grace');
    await consent.getByRole('alert').filter({ hasText: 'grace' }).waitFor();
    await onlyChat(consent, 'hopper');
    const popup = await profile.open('popup');
    await show(popup, 'Wallet');
    await popup.getByText('@hopper').waitFor();
  });

  describe('with all parts of a model loaded', () => {
    let helper: Profile;
    let expected: string;

    beforeAll(async () => {
      helper = await openProfile(extension.dir);
      const consent = await helper.open('onboarding');
      await consent.getByRole('button', { name: 'Start contributing' }).click();
      const popup = await helper.open('popup');
      await show(popup, 'Earnings');
      await popup.getByTestId('stage').waitFor();
      expected = await network.ask(PROMPT, LONG);
    });

    afterAll(() => helper?.close());

    it('goes on with an answer whose popup was closed', async () => {
      const popup = await greedyChat(profile);
      await send(popup, PROMPT);
      await expect.poll(() => lastAnswer(popup), POLL).toMatch(/\w/);
      const seen = await lastAnswer(popup);
      await popup.close();
      expect(seen.length, 'the answer was still running').toBeLessThan(expected.length);
      expect(expected.startsWith(seen)).toBe(true);
      const again = await profile.open('popup');
      await expect.poll(() => lastAnswer(again), POLL).toBe(expected);
      expect(await again.getByText(`4 nodes · ${LONG} tokens`).count()).toBe(1);
    });

    it('stops an answer, keeps what was there, and answers again', async () => {
      const popup = await greedyChat(profile);
      await stopAtFirstWord(popup);
      await send(popup, PROMPT);
      await popup.getByText('stopped').waitFor();
      await popup.getByRole('button', { name: 'Send' }).waitFor();
      const kept = await lastAnswer(popup);
      expect(kept.length).toBeGreaterThan(0);
      expect(kept.length, 'the answer was cut short').toBeLessThan(expected.length);
      expect(expected.startsWith(kept)).toBe(true);
      await popup.getByRole('button', { name: 'Clear' }).click();
      await expect.poll(() => popup.getByTestId('answer').count()).toBe(0);
      await send(popup, PROMPT);
      await expect.poll(() => lastAnswer(popup), POLL).toBe(expected);
    });

    it('begins a story by itself, and leaves no conversation behind in the page', async () => {
      const popup = await greedyChat(profile);
      await popup.getByRole('button', { name: 'Send' }).click();
      await expect.poll(() => lastAnswer(popup), POLL).toContain(PROMPT);
      await popup.getByRole('button', { name: 'Send' }).waitFor();
      await popup.reload();
      const stored = await popup.evaluate(() => JSON.stringify(localStorage));
      expect(stored, 'the snapshot is there').toContain('ailo.snapshot');
      expect(stored).not.toContain(PROMPT);
    });

    it('is used by keyboard alone', async () => {
      const popup = await greedyChat(profile);
      const message = popup.getByRole('textbox', { name: 'Message' });
      await message.focus();
      await popup.keyboard.type('Once');
      await popup.keyboard.press('Shift+Enter');
      expect(await message.inputValue()).toBe('Once\n');
      await message.fill(PROMPT);
      await popup.keyboard.press('Enter');
      await expect.poll(() => lastAnswer(popup), POLL).toBe(expected);
      await popup.getByRole('tab', { name: 'Chat' }).focus();
      await popup.keyboard.press('ArrowRight');
      await popup.getByTestId('balance-available').waitFor();
      await popup.keyboard.press('End');
      await popup.getByRole('switch', { name: 'Contribute' }).waitFor();
      await popup.keyboard.press('ArrowRight');
      await message.waitFor();
    });

    it('has no accessibility violation on any page, light or dark', async () => {
      const popup = await greedyChat(profile);
      await send(popup, PROMPT);
      await expect.poll(() => lastAnswer(popup), POLL).toBe(expected);
      await popup.setViewportSize({ width: 380, height: 560 });
      const consent = await profile.open('onboarding');
      await consent.getByRole('button', { name: 'Start contributing' }).waitFor();
      for (const colorScheme of ['light', 'dark'] as const) {
        await consent.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        expect(await violations(consent), `consent, ${colorScheme}`).toEqual([]);
        await popup.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        for (const tab of TABS) {
          await show(popup, tab);
          expect(await violations(popup), `${tab}, ${colorScheme}`).toEqual([]);
        }
      }
    });
  });

  it('finds its host again when that is gone, with the same wallet', async () => {
    const popup = await profile.open('popup');
    await show(popup, 'Wallet');
    const address = popup.getByText(/^alc1/);
    const before = await address.textContent();
    const status = popup.getByRole('status').first();
    await expect.poll(() => status.textContent(), POLL).toBe('Connected');
    await profile.evaluateOffscreen('void (globalThis.isOld = true)');
    await popup.evaluate(() => chrome.offscreen.closeDocument());
    const isOld = () => profile.evaluateOffscreen('globalThis.isOld === true').catch(() => true);
    await expect.poll(isOld, POLL).toBe(false);
    await expect.poll(() => status.textContent(), POLL).toBe('Connected');
    expect(await address.textContent()).toBe(before);
  });
});

describe('without a coordinator', () => {
  it('says in one sentence that it cannot be reached', async () => {
    // The port of “discard”: nothing listens there.
    const extension = await buildForTest('http://127.0.0.1:9');
    const profile = await openProfile(extension.dir);
    try {
      const popup = await profile.open('popup');
      const alert = popup.getByRole('alert');
      await alert.waitFor();
      expect(await alert.textContent()).toContain('http://127.0.0.1:9');
      expect(await popup.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true);
    } finally {
      await profile.close();
      await extension.remove();
    }
  });
});

function consentPages({ context }: Profile): Page[] {
  return context.pages().filter((page) => page.url().endsWith('/onboarding.html'));
}

async function show(page: Page, tab: string): Promise<void> {
  await page.getByRole('tab', { name: tab }).click();
}

async function text(page: Page, testId: string): Promise<string | null> {
  return page.getByTestId(testId).textContent();
}

async function lastAnswer(page: Page): Promise<string> {
  const answers = await page.getByTestId('answer').allTextContents();
  return answers.at(-1) ?? '';
}

async function onlyChat(consent: Page, username: string): Promise<void> {
  await consent.getByRole('textbox', { name: 'Username' }).fill(username);
  await consent.getByRole('button', { name: 'Only chat' }).click();
}

/** A popup whose next answers are the model's likeliest, and long. */
async function greedyChat(profile: Profile): Promise<Page> {
  const popup = await profile.open('popup');
  await popup.getByRole('combobox', { name: 'Model' }).selectOption(STORIES_NAME);
  await popup.getByRole('button', { name: 'settings' }).click();
  await popup.getByLabel('Temperature').fill('0');
  await popup.getByLabel('Max tokens').fill(String(LONG));
  await popup.keyboard.press('Escape');
  return popup;
}

/** Presses Stop from inside the page: on a fast machine an answer is over before a test could find the button. */
async function stopAtFirstWord(popup: Page): Promise<void> {
  await popup.evaluate(() => {
    const observer = new MutationObserver(() => {
      const answer = document.querySelector('[data-testid="answer"]')?.textContent ?? '';
      const stop = document.querySelector<HTMLButtonElement>('button[aria-label="Stop"], button[title="Stop"]');
      if (!/\w/.test(answer) || !stop) return;
      observer.disconnect();
      stop.click();
    });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
  });
}

async function send(popup: Page, message: string): Promise<void> {
  await popup.getByRole('textbox', { name: 'Message' }).fill(message);
  await popup.getByRole('button', { name: 'Send' }).click();
}
