/**
 * The service worker: creates and wakes the node's host, shows its state on the badge, and never computes. The browser
 * may end it at any moment; nothing is kept here.
 */
import * as v from 'valibot';
import browser from 'webextension-polyfill';
import { Notice } from '../messages.ts';
import { readSettings } from '../offscreen/settings.ts';
import { COPY } from '../offscreen/wallet-stores.ts';
import { platform } from '../platform/chrome.ts';

const BADGES = {
  off: { text: '', color: '#6b7280' },
  locked: { text: 'lock', color: '#6b7280' },
  waiting: { text: '…', color: '#b45309' },
  contributing: { text: 'on', color: '#047857' },
  error: { text: '!', color: '#b91c1c' },
} as const;

browser.runtime.onInstalled.addListener(({ reason }) => {
  if (reason === 'install') void browser.tabs.create({ url: browser.runtime.getURL('onboarding.html') });
});

// The host is not restored with the browser: the event alone starts this script, and the line below does the rest.
browser.runtime.onStartup.addListener(() => {});

browser.runtime.onMessage.addListener((message: unknown) => {
  const parsed = v.safeParse(Notice, message);
  if (!parsed.success) return undefined;
  return obey(parsed.output);
});

async function obey(notice: Notice): Promise<unknown> {
  switch (notice.type) {
    case 'wake':
      await platform.ensureHost();
      return true;
    case 'badge':
      return showBadge(notice);
    case 'readCopy': {
      const text: unknown = (await browser.storage.local.get(COPY))[COPY];
      return { ...(text !== undefined && { text }) };
    }
    case 'writeCopy':
      await browser.storage.local.set({ [COPY]: notice.text });
      return true;
  }
}

async function showBadge({ badge, reason }: Extract<Notice, { type: 'badge' }>): Promise<true> {
  const { text, color } = BADGES[badge];
  await Promise.all([
    browser.action.setBadgeText({ text }),
    browser.action.setBadgeBackgroundColor({ color }),
    browser.action.setTitle({ title: `Ailo: ${reason}` }),
  ]);
  return true;
}

// At every start of this worker: who contributes has a host, whatever ended the last one.
void readSettings().then((settings) => (settings.contributing ? platform.ensureHost() : undefined));
