/** Runs in Chromium: the extension's replica, in its worker, with IndexedDB. */
import { openReplica } from '../../extension/ledger/client.ts';

declare global {
  /** Called by `benchReplay`. Milliseconds until all was verified, and until a second opening had read it back. */
  function ailoReplay(options: { url: string; publicKey: number[] }): Promise<{ replayMs: number; openMs: number }>;
}

globalThis.ailoReplay = async ({ url, publicKey }) => {
  const options = { url, publicKey: Uint8Array.from(publicKey) };
  const replica = await openReplica(options);
  const begun = performance.now();
  await replica.sync();
  const replayMs = performance.now() - begun;
  await replica.close();
  const reopened = performance.now();
  const again = await openReplica(options);
  await new Promise<void>((resolve) => {
    again.subscribe(({ status }) => status === 'verified' && resolve());
  });
  const openMs = performance.now() - reopened;
  await again.close();
  return { replayMs, openMs };
};
