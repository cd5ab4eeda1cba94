/**
 * First light: four Chromium profiles hold a model's parts, a fifth chats with it from its popup, and each of the four is
 * paid. Every part is the real one: browsers, extension, coordinator, database, trained model.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { balance, buildForTest, openProfile, type Profile, startContributing } from './extension-harness.ts';

const STORIES = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));
const STAGES = 4;
const PROMPT = 'Once upon a time';
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`. */
const NEW_TOKENS = 196;

describe.skipIf(!existsSync(STORIES))('a model split over four browsers', () => {
  let folder: string;
  let coordinator: Coordinator;
  let extension: Awaited<ReturnType<typeof buildForTest>>;
  const contributors: Profile[] = [];
  let requester: Profile;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-first-light-'));
    coordinator = await startCoordinator({
      dataDir: folder,
      host: '127.0.0.1',
      port: 0,
      models: [{ dir: STORIES, stages: STAGES }],
      // Without the latency bonus, which depends on this machine's speed, the reward is exactly the base rate.
      genesis: { inference: { latencyBonusMicroAlc: '0' } },
      log: pino({ level: 'warn' }, pino.destination(2)),
    });
    extension = await buildForTest(coordinator.url);
    for (let i = 0; i < STAGES; i++) contributors.push(await openProfile(extension.dir));
    requester = await openProfile(extension.dir);
  });

  afterAll(async () => {
    for (const profile of [...contributors, requester]) await profile?.close();
    await coordinator?.close();
    await extension?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('answers in the popup with the reference text, and pays each of the four', async () => {
    const popups = await Promise.all(contributors.map(startContributing));
    const parts = await Promise.all(popups.map(partHeld));
    expect(parts.sort()).toEqual(['Part 1 of 4', 'Part 2 of 4', 'Part 3 of 4', 'Part 4 of 4']);
    for (const popup of popups) expect(await balance(popup)).toBe('0 ALC');

    const chat = await requester.open('popup');
    await chat.getByRole('button', { name: /settings/i }).click();
    await chat.getByLabel('Temperature').fill('0');
    await chat.getByLabel('Max tokens').fill(String(NEW_TOKENS));
    await chat.keyboard.press('Escape');
    await chat.getByRole('textbox', { name: 'Message' }).fill(PROMPT);
    await chat.getByRole('button', { name: 'Send' }).click();

    const reference = readFileSync(join(STORIES, 'expected-greedy-200.txt'), 'utf8').slice(PROMPT.length);
    const answer = chat.getByTestId('answer');
    const seen: string[] = [];
    await expect.poll(async () => note(seen, await answer.textContent()), { timeout: 60_000 }).toMatch(/\w/);

    // In the middle of the answer the browser takes one contributor's service worker away.
    await contributors[1]!.stopServiceWorker();
    expect(await contributors[1]!.targets()).not.toContain('service_worker');
    expect((await answer.textContent())!.length, 'the answer was still running').toBeLessThan(reference.length);

    await expect.poll(async () => note(seen, await answer.textContent()), { timeout: 120_000 }).toBe(reference);
    for (const text of seen) expect(reference.startsWith(text), text).toBe(true);
    expect(seen.length, 'the text came piece by piece').toBeGreaterThan(3);

    for (const popup of popups) await expect.poll(() => balance(popup), { timeout: 30_000 }).toBe('0.05 ALC');
    expect(await balance(chat)).toBe('0 ALC');
    for (const profile of [...contributors, requester]) expect(profile.problems).toEqual([]);
  });
});

async function partHeld(popup: Page): Promise<string> {
  await popup.getByRole('tab', { name: 'Earnings' }).click();
  const stage = popup.getByTestId('stage');
  await expect.poll(() => stage.textContent(), { timeout: 120_000 }).toMatch(/part \d of 4/i);
  const [, number] = /part (\d) of 4/i.exec((await stage.textContent())!)!;
  return `Part ${number} of 4`;
}

/** Keeps what was shown, each text once. */
function note(seen: string[], text: string | null): string | null {
  if (text && seen.at(-1) !== text) seen.push(text);
  return text;
}
