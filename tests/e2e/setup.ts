import { ensureChromium } from '../../server/browser.ts';

/** Every end-to-end test drives a real Chromium: find or install it once. */
export async function setup(): Promise<void> {
  await ensureChromium((line) => console.log(line));
}
