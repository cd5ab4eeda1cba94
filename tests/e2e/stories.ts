/** The trained model in four parts, for browsers alone: what they answer is known to the letter. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { startCoordinator } from '../../server/coordinator/coordinator.ts';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { STORIES } from './network.ts';

export const PARTS = 4;
const PROMPT = 'Once upon a time';
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`. */
const NEW_TOKENS = 196;

export interface Stories {
  /** A browser with the extension; closed at the end, if it is still there. */
  open(): Promise<Profile>;
  /** Of those that are still there. */
  problems(): string[];
  close(): Promise<void>;
}

export async function startStories(): Promise<Stories> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-stories-'));
  const coordinator = await startCoordinator({
    dataDir: folder,
    host: '127.0.0.1',
    port: 0,
    models: [{ dir: STORIES, stages: PARTS }],
    // Without the latency bonus, which depends on this machine's speed, the reward is exactly the base rate.
    genesis: { inference: { latencyBonusMicroAlc: '0' } },
    log: pino({ level: 'warn' }, pino.destination(2)),
  });
  const extension = await buildForTest(coordinator.url);
  const profiles = new Set<Profile>();
  return {
    async open() {
      const profile = await openProfile(extension.dir);
      profiles.add(profile);
      return { ...profile, close: () => profile.close().finally(() => profiles.delete(profile)) };
    },
    problems: () => [...profiles].flatMap(({ problems }) => problems),
    async close() {
      for (const profile of profiles) await profile.close();
      await coordinator.close();
      await extension.remove();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Asks in the popup. `reference` is what `answer` comes to show. */
export async function askStories(profile: Profile): Promise<{ chat: Page; answer: Locator; reference: string }> {
  const chat = await profile.open('popup');
  await chat.getByRole('button', { name: /settings/i }).click();
  await chat.getByLabel('Temperature').fill('0');
  await chat.getByLabel('Max tokens').fill(String(NEW_TOKENS));
  await chat.keyboard.press('Escape');
  await chat.getByRole('textbox', { name: 'Message' }).fill(PROMPT);
  await chat.getByRole('button', { name: 'Send' }).click();
  const whole = await readFile(join(STORIES, 'expected-greedy-200.txt'), 'utf8');
  return { chat, answer: chat.getByTestId('answer'), reference: whole.slice(PROMPT.length) };
}

/** From 1, as soon as the browser holds one. */
export async function partHeld(popup: Page): Promise<number> {
  await popup.getByRole('tab', { name: 'Earnings' }).click();
  const stage = popup.getByTestId('stage');
  await expect.poll(() => stage.textContent(), { timeout: 120_000 }).toMatch(/part \d of 4/i);
  return Number(/part (\d) of 4/i.exec((await stage.textContent())!)![1]);
}
