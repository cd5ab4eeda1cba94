/**
 * Twelve real wallets, two of them in extension popups: a transfer is confirmed by ten independent wallets and then
 * spent; another one is reported, disputed and reversed. Every part is the real one: browsers, extension, headless nodes,
 * coordinator, database, trained model.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { createHeadlessNode, type HeadlessNode } from '../../server/node/headless.ts';
import { httpLedgerSource } from '../../shared/replica/source.ts';
import { verifyLedger } from '../../shared/replica/verify.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { hasStories, STORIES, STORIES_NAME } from './network.ts';

/** One placement unit each: everybody works on the same answer. */
const WALLETS = 12;
const HEADLESS = WALLETS - 2;
const POLL = { timeout: 60_000 };

describe.skipIf(!hasStories)('twelve wallets', () => {
  let folder: string;
  let coordinator: Coordinator;
  let extension: Awaited<ReturnType<typeof buildForTest>>;
  const nodes: HeadlessNode[] = [];
  let ann: Profile;
  let bob: Profile;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-wallets-'));
    const log = pino({ level: 'warn' }, pino.destination(2));
    coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models: [{ dir: STORIES, stages: WALLETS }],
      // Without the latency bonus, which depends on this machine's speed, each of the twelve earns exactly 0.05 ALC.
      genesis: { inference: { latencyBonusMicroAlc: '0' }, transfer: { reversalDelayMs: 2000 } },
      log,
    });
    extension = await buildForTest(coordinator.url);
    [ann, bob] = [await openProfile(extension.dir), await openProfile(extension.dir)];
    for (let i = 0; i <= HEADLESS; i++) {
      const dataDir = join(folder, `node-${i}`);
      const budgetBytes = 64 * 2 ** 20;
      nodes.push(await createHeadlessNode({ url: coordinator.url, dataDir, budgetBytes, threads: 1, log }));
    }
  });

  afterAll(async () => {
    for (const profile of [ann, bob]) await profile?.close();
    for (const node of nodes) await node.stop();
    await coordinator?.close();
    await extension?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('verify a transfer ten times before it can be spent, and take another one back', async () => {
    const [annPopup, bobPopup] = [await contribute(ann, 'ann'), await contribute(bob, 'bob')];
    await workTogether(nodes);
    for (const popup of [annPopup, bobPopup]) await expect.poll(() => available(popup), POLL).toBe('0.05 ALC');
    const [requester, ...verifiers] = nodes as [HeadlessNode, ...HeadlessNode[]];

    // Nobody is there who could verify, so the transfer waits.
    for (const node of verifiers) await node.stop();
    const first = await send(annPopup, { to: '@bob', amount: '0.03', memo: 'for you' });
    await expect.poll(() => available(annPopup), POLL).toBe('0.01 ALC');
    await expect.poll(() => bobPopup.getByTestId('balance-pending').textContent(), POLL).toBe('0.03 ALC');
    expect(await refusal(bobPopup, { to: '@ann', amount: '0.06' })).toMatch(/at most 0\.04 ALC/);

    await bobPopup.locator(`#tx-${first}`).click();
    const confirmations = bobPopup.getByTestId('confirmations');
    const state = bobPopup.getByTestId('transaction-state');
    await expect.poll(() => confirmations.textContent(), POLL).toBe('0 of 10 confirmations');
    for (const [i, node] of verifiers.entries()) {
      expect(await state.textContent()).toBe('Pending');
      node.start();
      if (i < 9) await expect.poll(() => confirmations.textContent(), POLL).toBe(`${i + 1} of 10 confirmations`);
    }
    await expect.poll(() => state.textContent(), POLL).toBe('Confirmed');
    const confirmed = (await requester.ledger!.service!.transaction(first))!;
    expect(confirmed.verifiers).toHaveLength(10);
    expect(new Set(confirmed.verifiers)).toEqual(new Set(verifiers.map(({ wallet }) => wallet.address)));
    await back(bobPopup);
    await expect.poll(() => available(bobPopup), POLL).toBe('0.08 ALC');

    // More than Bob earned: he spends what Ann sent him.
    await send(bobPopup, { to: await addressOf(annPopup), amount: '0.065' });
    await expect.poll(() => available(annPopup), POLL).toBe('0.075 ALC');

    const second = await send(annPopup, { to: '@bob', amount: '0.02' });
    await bobPopup.locator(`#tx-${second}`).click();
    const seen = await watchState(bobPopup);
    // 6 of 12 active nodes are half of them: that decides nothing.
    for (const node of verifiers.slice(0, 6)) await report(node, second);
    await expect.poll(() => bobPopup.getByText('6 of 7 that are needed').count(), POLL).toBeGreaterThan(0);
    await expect.poll(() => state.textContent(), POLL).toBe('Reported');
    await bobPopup.getByRole('button', { name: 'Report this transfer' }).click();
    await bobPopup.getByLabel('Why is it bad?').fill('I expected nothing');
    await bobPopup.getByRole('button', { name: 'Report', exact: true }).click();
    await expect.poll(() => state.textContent(), POLL).toBe('Reversed');
    expect(await seen()).toEqual(expect.arrayContaining(['Reported', 'Disputed', 'Reversed']));
    await back(bobPopup);

    // The amount is back, the fee is not.
    await expect.poll(() => available(annPopup), POLL).toBe('0.065 ALC');
    await expect.poll(() => available(bobPopup), POLL).toBe('0.005 ALC');
    expect(await bobPopup.getByTestId('balance-pending').textContent()).toBe('0 ALC');

    const { service } = verifiers[0]!.ledger!;
    const { transactions } = await service!.history({ limit: 10 });
    const reward = transactions.find(({ type }) => type === 'inference-reward')!;
    await expect(service!.report(reward.hash, 'too little')).rejects.toMatchObject({ code: 'REPORT_UNKNOWN_TRANSFER' });

    const source = httpLedgerSource({ url: coordinator.url, fetch });
    const summary = await verifyLedger({ source, now: Date.now, signal: new AbortController().signal });
    expect(summary).toMatchObject({
      mintedMicroAlc: 600_000n,
      burnedMicroAlc: 15_000n,
      treasuryMicroAlc: 15_000n,
      transfers: 3,
      confirmed: 2,
      reversed: 1,
    });
    for (const profile of [ann, bob]) expect(profile.problems).toEqual([]);
  }, 420_000);
});

/** A coordinator that has just started waits for its nodes to come back before it says who is active. */
async function report({ ledger }: HeadlessNode, hash: string): Promise<void> {
  const attempt = () =>
    ledger!.service!.report(hash, 'sent by mistake').then(
      () => 'reported',
      ({ code }) => code,
    );
  await expect.poll(attempt, { timeout: 90_000, interval: 1000 }).toBe('reported');
}

async function contribute(profile: Profile, username: string): Promise<Page> {
  const onboarding = await profile.open('onboarding');
  await onboarding.getByRole('textbox', { name: 'Username' }).fill(username);
  await onboarding.getByRole('button', { name: 'Start contributing' }).click();
  const popup = await profile.open('popup');
  await popup.getByRole('tab', { name: 'Wallet' }).click();
  await popup.getByText(`@${username}`).first().waitFor();
  return popup;
}

/** Everybody but the first holds a part; the first asks, so that all the others have worked. */
async function workTogether(nodes: HeadlessNode[]): Promise<void> {
  for (const [i, node] of nodes.entries()) {
    node.start();
    node.contribute(i > 0);
  }
  const [requester] = nodes as [HeadlessNode];
  const isReady = () => requester.state.models.some(({ ready, stages }) => stages === WALLETS && ready === WALLETS);
  await expect.poll(isReady, { timeout: 180_000 }).toBe(true);
  const messages = [{ role: 'user' as const, content: 'Once upon a time' }];
  const request = { model: STORIES_NAME, messages, maxNewTokens: 24, sampling: GREEDY };
  for await (const event of requester.chat(request)) {
    if (event.kind === 'finished') expect(event.tokens).toBe(24);
  }
}

/** Fills the form and confirms; the hash of what was sent. The popup is at its list again. */
async function send(popup: Page, payment: { to: string; amount: string; memo?: string }): Promise<string> {
  await fill(popup, payment);
  await popup.getByRole('dialog').getByRole('button', { name: /^Send/ }).click();
  await popup.getByRole('button', { name: 'See the transaction' }).click();
  await popup.getByTestId('transaction-state').waitFor();
  const hash = (await popup.locator('.hash code').first().getAttribute('title'))!;
  await back(popup);
  return hash;
}

/** What the form says is wrong with the payment; it is left again. */
async function refusal(popup: Page, payment: { to: string; amount: string }): Promise<string> {
  await fill(popup, payment);
  const error = await popup.locator('.field-error').first().textContent();
  await back(popup);
  return error!;
}

async function fill(popup: Page, { to, amount, memo }: { to: string; amount: string; memo?: string }): Promise<void> {
  await popup.locator('#open-send').click();
  await popup.getByLabel('To').fill(to);
  await popup.getByLabel('Amount in ALC').fill(amount);
  if (memo) await popup.getByLabel('Memo').fill(memo);
  await popup.getByRole('button', { name: 'Review' }).click();
}

/** Back to the wallet's first view. */
async function back(popup: Page): Promise<void> {
  const button = popup.getByRole('button', { name: 'Back' });
  while ((await button.count()) > 0) await button.click();
  await popup.getByTestId('balance-available').waitFor();
}

function available(popup: Page): Promise<string | null> {
  return popup.getByTestId('balance-available').textContent();
}

async function addressOf(popup: Page): Promise<string> {
  return (await popup.getByTestId('address').getAttribute('title'))!;
}

/** Every state that the open transaction is shown in from now on. */
async function watchState(popup: Page): Promise<() => Promise<string[]>> {
  await popup.getByTestId('transaction-state').waitFor();
  await popup.evaluate(() => {
    const seen: string[] = [];
    Object.assign(globalThis, { seen });
    const note = () => {
      const text = document.querySelector('[data-testid="transaction-state"]')?.textContent;
      if (text && seen.at(-1) !== text) seen.push(text);
    };
    new MutationObserver(note).observe(document.body, { childList: true, subtree: true, characterData: true });
    note();
  });
  return () => popup.evaluate(() => (globalThis as unknown as { seen: string[] }).seen);
}
