import type { Platform } from './types.ts';

const HOST_PAGE = 'offscreen.html';

/** A second `createDocument` throws, so all callers share the first one's promise. */
let creating: Promise<void> | undefined;

async function exists(): Promise<boolean> {
  const contexts = await chrome.runtime.getContexts({ contextTypes: ['OFFSCREEN_DOCUMENT'] });
  return contexts.length > 0;
}

async function create(): Promise<void> {
  if (await exists()) return;
  await chrome.offscreen.createDocument({
    url: HOST_PAGE,
    // WORKERS has no lifetime limit, unlike AUDIO_PLAYBACK.
    reasons: ['WORKERS', 'WEB_RTC'],
    justification:
      'Runs parts of language models in a worker and keeps connections to the coordinator and to neighbours.',
  });
}

export const platform: Platform = {
  ensureHost() {
    creating ??= create().finally(() => {
      creating = undefined;
    });
    return creating;
  },
  async openSidePanel() {
    const { id } = await chrome.windows.getCurrent();
    if (id !== undefined) await chrome.sidePanel.open({ windowId: id });
  },
};
