/**
 * `tsx tests/e2e/screenshots.ts OUTDIR`: the consent page and every tab of the popup in the states a person meets, light
 * and dark, on a real network of headless nodes and one browser.
 */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Page } from 'playwright-core';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { CHAT_NAME, hasStories, type Network, STORIES_NAME, startNetwork } from './network.ts';

/** What the browser gives the toolbar's popup. */
const POPUP = { width: 380, height: 560 };
const TAB = { width: 1100, height: 760 };
const WAIT_MS = 120_000;
const PROMPT = 'Once upon a time';
/** The browser and a node train, for longer than it takes to look, also where a round takes a fraction of a second. */
const CAMPAIGN = { id: 'small-talk', rounds: 60, localSteps: 240, batch: 4, minWorkers: 2, quorumPermille: 1000 };
/** When its loss curve is looked at. */
const LATER_ROUND = /round ([6-9]|\d\d) of/;

const [outDir] = process.argv.slice(2);
if (!outDir) {
  console.error('Please name a folder for the screenshots: tsx tests/e2e/screenshots.ts OUTDIR');
  process.exit(1);
}
if (!hasStories) {
  console.error('The screenshots need the folder shared/models/stories260k beside the project.');
  process.exit(1);
}
await mkdir(outDir, { recursive: true });
const network = await startNetwork({ campaign: CAMPAIGN });
const extension = await buildForTest(network.coordinator.url);
const profile = await openProfile(extension.dir);
try {
  await tour(profile, network);
} finally {
  for (const problem of profile.problems) console.error(`logged as an error: ${problem}`);
  await profile.close();
  await extension.remove();
  // Already closed by the tour unless that failed.
  await network.close();
}

async function tour(profile: Profile, network: Network): Promise<void> {
  const onboarding = await profile.open('onboarding');
  await onboarding.setViewportSize(TAB);
  const start = onboarding.getByRole('button', { name: 'Start contributing' });
  await start.waitFor();
  await shoot(onboarding, 'onboarding', { fullPage: true });

  const popup = await openPopup(profile);
  await popup.getByText('ready', { exact: false }).first().waitFor({ state: 'attached' });
  await shoot(popup, 'chat-empty');
  await show(popup, 'Wallet');
  await shoot(popup, 'wallet-empty');
  await show(popup, 'Earnings');
  await shoot(popup, 'earnings-off');

  await onboarding.getByRole('textbox', { name: 'Username' }).fill('ada');
  await start.click();
  await popup.getByTestId('stage').waitFor({ timeout: WAIT_MS });
  await shoot(onboarding, 'onboarding-answered', { fullPage: true });
  await onboarding.close();
  await shoot(popup, 'earnings-ready');
  await popup.getByText('Storage', { exact: true }).click();
  await popup
    .getByRole('button', { name: /^Delete/ })
    .first()
    .waitFor();
  await popup.getByText('Storage', { exact: true }).evaluate((summary) => summary.scrollIntoView());
  await shoot(popup, 'earnings-storage');
  await popup.getByText('Storage', { exact: true }).click();

  for (let i = 0; i < 5; i++) await network.ask(PROMPT, 24);
  const asked = network.ask(PROMPT, 400);
  await popup.getByRole('progressbar').waitFor({ timeout: WAIT_MS });
  await shoot(popup, 'earnings-working');
  await asked;
  await shoot(popup, 'earnings');
  await show(popup, 'Wallet');
  await popup.getByText('Answer reward').first().waitFor();
  await shoot(popup, 'wallet');

  await tourOfTraining(popup, network);

  await tourOfWallet(popup, network.nodes[0]!.state.address);
  await tourOfVault(popup);

  await show(popup, 'Chat');
  await popup.getByRole('combobox', { name: 'Model' }).selectOption(CHAT_NAME);
  await ask(popup, 'Tell me of a girl named Lily.');
  await shoot(popup, 'chat-running');
  await answered(popup);
  await popup.locator('article details summary').last().click();
  await shoot(popup, 'chat-answered');
  await popup.getByRole('button', { name: 'Answer settings' }).click();
  await shoot(popup, 'chat-settings');
  await popup.keyboard.press('Escape');
  await popup.getByRole('button', { name: 'Clear conversation' }).click();
  await popup.getByTestId('answer').waitFor({ state: 'detached' });

  await popup.getByRole('combobox', { name: 'Model' }).selectOption(STORIES_NAME);
  await shoot(popup, 'chat-continues-empty');
  await ask(popup, PROMPT);
  await answered(popup);
  await shoot(popup, 'chat-story');

  const tab = await profile.open('popup');
  await tab.setViewportSize(TAB);
  for (const name of ['Chat', 'Wallet', 'Earnings']) {
    await show(tab, name);
    await tab.waitForLoadState('networkidle');
    await shoot(tab, `tab-${name.toLowerCase()}`);
  }
  await tab.close();

  await network.close();
  await popup.getByRole('alert').first().waitFor({ timeout: WAIT_MS });
  for (const name of ['Chat', 'Wallet', 'Earnings']) {
    await show(popup, name);
    await shoot(popup, `offline-${name.toLowerCase()}`);
  }
}

/** Backup, password, locking and restoring; ends as it began, but with a password. */
async function tourOfVault(popup: Page): Promise<void> {
  const press = (name: string) => popup.getByRole('button', { name }).click();
  const security = popup.getByRole('heading', { name: 'Security' });
  await security.evaluate((heading) => heading.scrollIntoView());
  if ((await popup.evaluate(() => scrollY)) > 0) throw new Error('the whole popup scrolled, not its panel');
  await shoot(popup, 'security');
  await press('Back up');
  await shoot(popup, 'backup');
  await press('Show the words');
  await popup.getByRole('list', { name: 'Recovery words' }).waitFor();
  await shoot(popup, 'backup-words');
  await press('I have written them down');
  for (const field of await popup.getByLabel(/^Word/).all()) await field.fill('zebra');
  await press('Check');
  await popup.getByRole('alert').waitFor();
  await shoot(popup, 'backup-check');
  await press('Cancel');
  await press('Cancel');
  await press('Choose the password');
  await shoot(popup, 'password');
  await popup.getByLabel('New password', { exact: true }).fill('correct horse');
  await popup.getByLabel('New password once more').fill('correct horse');
  await press('Save');
  await popup.getByText('The password is set.').waitFor();
  await shoot(popup, 'security-password');
  await press('Restore');
  await shoot(popup, 'restore');
  await press('Cancel');
  await press('Lock now');
  await popup.getByRole('button', { name: 'Unlock' }).waitFor();
  await shoot(popup, 'locked-wallet');
  await show(popup, 'Chat');
  await shoot(popup, 'locked-chat');
  await show(popup, 'Earnings');
  await shoot(popup, 'locked-earnings');
  await show(popup, 'Wallet');
  await popup.getByLabel('Password').fill('wrong horse');
  await press('Unlock');
  await popup.getByRole('alert').waitFor();
  await shoot(popup, 'locked-wrong');
  await popup.getByLabel('Password').fill('correct horse');
  await press('Unlock');
  await security.waitFor();
}

/** A round in which this browser learns; the wallet tab is shown before and after it. */
async function tourOfTraining(popup: Page, { nodes }: Network): Promise<void> {
  await show(popup, 'Earnings');
  nodes[0]!.train(true);
  const training = popup.getByTestId('training');
  await training.filter({ hasText: LATER_ROUND }).waitFor({ timeout: WAIT_MS });
  await popup.getByTestId('loss-curve').waitFor();
  await popup.getByRole('progressbar', { name: /^Step .* loss/ }).waitFor({ timeout: WAIT_MS });
  await training.evaluate((line) => line.parentElement!.scrollIntoView());
  await shoot(popup, 'earnings-training');
  nodes[0]!.train(false);
  await tourOfTexts(popup);
  await show(popup, 'Wallet');
}

/** A text of one's own, and the choice to learn from it; ends as it began. */
async function tourOfTexts(popup: Page): Promise<void> {
  const preferences = popup.getByText('What it may use', { exact: true });
  const texts = popup.getByText('Texts of your own', { exact: true });
  await preferences.click();
  await popup.getByLabel('Train models, too').selectOption('local');
  await preferences.evaluate((summary) => summary.scrollIntoView());
  await shoot(popup, 'earnings-preferences');
  await texts.click();
  await popup
    .getByLabel('Or paste text')
    .fill(`Letters to my sister\n${'It rained all day, and we read. '.repeat(40)}`);
  await popup.getByRole('button', { name: 'Add text', exact: true }).click();
  await popup.getByTestId('own-text').waitFor();
  await texts.evaluate((summary) => summary.scrollIntoView());
  await shoot(popup, 'earnings-texts');
  await popup.getByRole('button', { name: /^Delete Pasted/ }).click();
  await popup.getByTestId('own-text').waitFor({ state: 'detached' });
  await popup.getByLabel('Train models, too').selectOption('public');
  for (const summary of [texts, preferences]) await summary.click();
}

/** Receiving, a payment to somebody, its page, the whole history. */
async function tourOfWallet(popup: Page, to: string): Promise<void> {
  const press = (name: string) => popup.getByRole('button', { name, exact: true }).click();
  await press('Receive');
  await shoot(popup, 'wallet-receive');
  await press('Back');

  await press('Send');
  await popup.getByLabel('To', { exact: true }).fill(to);
  await popup.getByLabel('Amount in ALC').fill('0.05');
  await popup.getByLabel('Memo').fill('for the tea');
  await popup.getByTestId('full-address').waitFor();
  await shoot(popup, 'wallet-send');
  await press('Review');
  await popup.getByRole('dialog').waitFor();
  await shoot(popup, 'wallet-send-confirm');
  await press('Send 0.05 ALC');
  await popup.getByText('0.05 ALC sent to').waitFor({ timeout: WAIT_MS });
  await shoot(popup, 'wallet-sent');
  await press('See the transaction');
  await popup.getByTestId('confirmations').waitFor();
  await shoot(popup, 'wallet-transaction');
  await press('Back');

  await press('Show all');
  await shoot(popup, 'wallet-history');
  await press('Back');
}

async function openPopup(profile: Profile): Promise<Page> {
  const page = await profile.context.newPage();
  await page.setViewportSize(POPUP);
  await page.goto(`chrome-extension://${profile.extensionId}/popup.html?popup`);
  return page;
}

async function show(page: Page, tab: string): Promise<void> {
  await page.getByRole('tab', { name: tab }).click();
}

/** Resolves as soon as some of the answer is there. */
async function ask(popup: Page, text: string): Promise<void> {
  await popup.getByRole('textbox', { name: 'Message' }).fill(text);
  await popup.getByRole('button', { name: 'Send' }).click();
  const answer = popup.getByTestId('answer').last();
  await answer.filter({ hasText: /\w{3}/ }).waitFor({ timeout: WAIT_MS });
}

async function answered(popup: Page): Promise<void> {
  await popup.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached', timeout: WAIT_MS });
}

async function shoot(page: Page, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({
      path: join(resolve(outDir!), `${name}-${colorScheme}.png`),
      animations: 'disabled',
      ...options,
    });
  }
  console.log(name);
}
