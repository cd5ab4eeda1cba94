/** A Chromium profile with the built extension, driven as a person would. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrowserContext, CDPSession, Page } from 'playwright-core';
import { buildExtension } from '../../extension/build.ts';
import { launchExtension } from '../../server/browser.ts';

export interface Profile {
  context: BrowserContext;
  extensionId: string;
  /** Opens one of the extension's pages as a tab. What it logs as an error is kept in `problems`. */
  open(page: 'popup' | 'onboarding'): Promise<Page>;
  /** Errors that any page of this profile logged or threw. */
  problems: string[];
  /** Stops the service worker as the browser does when it wants the memory; resolves when it is gone. */
  stopServiceWorker(): Promise<void>;
  /** Types of the extension's living targets, e.g. `service_worker`, `background_page` (the offscreen document). */
  targets(): Promise<string[]>;
  /** The value of an expression in the offscreen document. */
  evaluateOffscreen(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

/** Builds the extension into a temporary folder, once for all profiles of a test file. */
export async function buildForTest(coordinatorUrl: string): Promise<{ dir: string; remove(): Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'ailo-extension-'));
  await buildExtension({ outDir: dir, coordinatorUrl });
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}

/** A fresh profile, which goes with `close`; with `profileDir`, the one of that folder, which stays. */
export async function openProfile(
  extensionDir: string,
  { profileDir: kept, ...options }: { colorScheme?: 'light' | 'dark'; args?: string[]; profileDir?: string } = {},
): Promise<Profile> {
  const profileDir = kept ?? (await mkdtemp(join(tmpdir(), 'ailo-profile-')));
  const context = await launchExtension({ extensionDir, profileDir, headless: true, ...options });
  const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
  const extensionId = new URL(worker.url()).host;
  const browserSession = await context.browser()!.newBrowserCDPSession();
  const problems: string[] = [];
  context.on('weberror', (error) => problems.push(String(error.error())));
  context.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text());
  });

  const ownTargets = async () => {
    const { targetInfos } = await browserSession.send('Target.getTargets', { filter: [{}] });
    return targetInfos.filter(({ url, type }) => url.includes(extensionId) && type !== 'tab');
  };

  return {
    context,
    extensionId,
    problems,
    async open(name) {
      const page = await context.newPage();
      await page.goto(`chrome-extension://${extensionId}/${name}.html`);
      return page;
    },
    async stopServiceWorker() {
      const page = context.pages().find((open) => open.url().includes(extensionId));
      if (!page) throw new Error('stopping the service worker needs an open page of the extension');
      const session = await context.newCDPSession(page);
      await session.send('ServiceWorker.enable');
      await session.send('ServiceWorker.stopAllWorkers');
      for (;;) {
        if (!(await ownTargets()).some(({ type }) => type === 'service_worker')) break;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await session.detach();
    },
    async targets() {
      return (await ownTargets()).map(({ type }) => type);
    },
    async evaluateOffscreen(expression) {
      const target = (await ownTargets()).find(({ url }) => url.endsWith('/offscreen.html'));
      if (!target) throw new Error('there is no offscreen document');
      return evaluateInTarget(browserSession, target.targetId, expression);
    },
    async close() {
      await context.close();
      if (!kept) await rm(profileDir, { recursive: true, force: true });
    },
  };
}

/** Playwright has no handle on offscreen documents: speak CDP with the target through the browser's own session. */
async function evaluateInTarget(session: CDPSession, targetId: string, expression: string): Promise<unknown> {
  const { sessionId } = await session.send('Target.attachToTarget', { targetId, flatten: false });
  const answered = new Promise<{ result?: { result: { value: unknown }; exceptionDetails?: { text: string } } }>(
    (resolve) => {
      const listener = (event: { sessionId: string; message: string }) => {
        const message = JSON.parse(event.message);
        if (event.sessionId !== sessionId || message.id !== 1) return;
        session.off('Target.receivedMessageFromTarget', listener);
        resolve(message);
      };
      session.on('Target.receivedMessageFromTarget', listener);
    },
  );
  const params = { expression, awaitPromise: true, returnByValue: true };
  await session.send('Target.sendMessageToTarget', {
    sessionId,
    message: JSON.stringify({ id: 1, method: 'Runtime.evaluate', params }),
  });
  const { result } = await answered;
  await session.send('Target.detachFromTarget', { sessionId });
  if (!result || result.exceptionDetails)
    throw new Error(`in the offscreen document: ${result?.exceptionDetails?.text}`);
  return result.result.value;
}

/** Agrees to contribute, as a person does; the popup. */
export async function startContributing(profile: Profile): Promise<Page> {
  const onboarding = await profile.open('onboarding');
  await onboarding.getByRole('button', { name: 'Start contributing' }).click();
  return profile.open('popup');
}

/** What the wallet says it can spend. */
export async function balance(popup: Page): Promise<string | null> {
  await popup.getByRole('tab', { name: 'Wallet' }).click();
  return popup.getByTestId('balance-available').textContent();
}
