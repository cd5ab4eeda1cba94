/**
 * A browser trains on a text that its person pasted, in a group with two headless nodes. Everything that leaves the browser
 * goes through a proxy that keeps it: the text is in none of it, nor are its tokens.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  ALPHABET,
  CANARY,
  foundLocalCampaign,
  type LocalNode,
  lettersOf,
  localNode,
  log,
} from '../../server/campaigns/groups/testing.ts';
import { findTrace, tracesOf } from '../../server/campaigns/groups/traces.ts';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import type { CampaignsResponse } from '../../shared/protocol/http.ts';
import { buildForTest, openProfile, type Profile, startContributing } from './extension-harness.ts';
import { type RecordingProxy, startRecordingProxy } from './recording-proxy.ts';

const ROUNDS = 2;
const POLL = { timeout: 180_000 };
/** The browser can reach nothing but what is here. */
const NO_NETWORK = ['--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1'];

let folder: string;
let coordinator: Coordinator;
let proxy: RecordingProxy;
let extension: Awaited<ReturnType<typeof buildForTest>>;
let profile: Profile;
const others: LocalNode[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-own-texts-'));
  await foundLocalCampaign(folder, {
    ...{ rounds: ROUNDS, localSteps: 6, batch: 8, minWorkers: 3, maxWorkers: 3 },
    ...{ graceMs: 60_000, roundTimeoutMs: 120_000, quorumPermille: 1000 },
    data: { mode: 'local', groupSize: 3, threshold: 3, clip: 0.3, noise: { multiplier: 0.01, delta: 1e-6, sums: 9 } },
  });
  coordinator = await startCoordinator({ dataDir: folder, host: '127.0.0.1', port: 0, models: [], log });
  proxy = await startRecordingProxy(coordinator.url);
  extension = await buildForTest(proxy.url);
  profile = await openProfile(extension.dir, { args: NO_NETWORK });
  for (let i = 0; i < 2; i++) {
    others.push(await localNode(coordinator.url, join(folder, `node-${i}`), lettersOf(2000 + i)));
  }
});

afterAll(async () => {
  for (const { node } of others) await node.stop();
  await profile?.close();
  await extension?.remove();
  await proxy?.close();
  await coordinator?.close();
  await rm(folder, { recursive: true, force: true });
});

async function addText(popup: Page, text: string): Promise<void> {
  await popup.getByRole('tab', { name: 'Earnings' }).click();
  await popup.getByText('Texts of your own', { exact: true }).click();
  await popup.getByLabel('Or paste text').fill(text);
  await popup.getByRole('button', { name: 'Add text', exact: true }).click();
  await popup.getByTestId('own-text').waitFor();
}

it('learns from a pasted text of which nothing leaves, says what it was used for, and deletes it for good', async () => {
  const popup = await startContributing(profile);
  await addText(popup, lettersOf(2500) + CANARY);
  const row = popup.getByTestId('own-text');
  expect(await row.textContent()).toContain('2,560 characters');
  expect(await row.textContent()).toContain('Not used yet');
  await popup.getByText('What it may use', { exact: true }).click();
  await popup.getByLabel('Train models, too').selectOption('local');
  for (const { node } of others) {
    node.start();
    node.train(true, 'local');
  }
  await expect.poll(() => popup.getByTestId('mode').textContent(), POLL).toContain('only sums of 3 or more are seen');
  const status = async () => {
    const { campaigns } = (await (await fetch(`${coordinator.url}/v1/campaigns`)).json()) as CampaignsResponse;
    return campaigns[0]!;
  };
  await expect.poll(async () => (await status()).phase, POLL).toBe('finished');

  const sent = proxy.sent();
  const tokens = [...CANARY].map((letter) => ALPHABET.indexOf(letter));
  expect(findTrace(sent, tracesOf(CANARY, tokens))).toBeUndefined();
  // The proxy heard all of it: the browser's part of every stage, and its updates.
  const all = sent.join('\n');
  for (const message of ['groupKeys', 'groupShared', 'groupAgreed', 'groupRevealed']) {
    expect(all.split(`"${message}"`).length - 1).toBeGreaterThanOrEqual(ROUNDS);
  }
  // Noise may have a sum refused, which is then made anew.
  expect(all.match(/^PUT \/v1\/campaigns\/tiny\/updates\//gm)!.length).toBeGreaterThanOrEqual(ROUNDS);
  expect(all).toContain('"mode":"local"');

  // Opened anew, the list tells what became of it.
  await popup.getByText('Texts of your own', { exact: true }).click();
  await popup.getByText('Texts of your own', { exact: true }).click();
  await expect.poll(() => row.textContent()).toMatch(/In \d rounds of tiny/);
  await popup.getByRole('button', { name: /^Delete Pasted/ }).click();
  await row.waitFor({ state: 'detached' });
  expect(await profile.evaluateOffscreen(ALL_ROWS)).not.toContain('Quetzalinde');
  expect(profile.problems).toEqual([]);
});

/** Every row of every table of the extension's database, as JSON. */
const ALL_ROWS = `new Promise((resolve, reject) => {
  const opening = indexedDB.open('ailo');
  opening.onerror = () => reject(opening.error);
  opening.onsuccess = async () => {
    const database = opening.result;
    const rows = [...database.objectStoreNames].map((name) => new Promise((done) => {
      const all = database.transaction(name).objectStore(name).getAll();
      all.onsuccess = () => done(all.result);
    }));
    resolve(JSON.stringify(await Promise.all(rows)));
    database.close();
  };
})`;
