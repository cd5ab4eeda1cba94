import { readFileSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/** Peak resident bytes of the browser's largest renderer. Linux writes it down for each process; elsewhere undefined. */
export async function peakRendererBytes(browser: Browser): Promise<number | undefined> {
  if (process.platform !== 'linux') return undefined;
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const peaks = processInfo
    .filter(({ type }) => type === 'renderer')
    .map(({ id }) => {
      const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, 'utf8')) ?? [];
      return Number(kib ?? 0) * 1024;
    });
  return Math.max(...peaks);
}
