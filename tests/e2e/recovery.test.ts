/**
 * An answer survives a browser that is closed in the middle of it: four Chromium profiles hold a model's parts, a fifth
 * holds one of them as well, and goes on in the place of the one that is gone.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { balance, buildForTest, openProfile, type Profile, startContributing } from './extension-harness.ts';
import { STORIES } from './network.ts';

const STAGES = 4;
const PROMPT = 'Once upon a time';
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`. */
const NEW_TOKENS = 196;

describe.skipIf(!existsSync(STORIES))('an answer of four browsers, one of which is closed', () => {
  let folder: string;
  let coordinator: Coordinator;
  let extension: Awaited<ReturnType<typeof buildForTest>>;
  const profiles = new Set<Profile>();
  const open = async () => {
    const profile = await openProfile(extension.dir);
    profiles.add(profile);
    return profile;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-recovery-'));
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
  });

  afterAll(async () => {
    for (const profile of profiles) await profile.close();
    await coordinator?.close();
    await extension?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('is the reference text, and who went on is paid in the place of who left', async () => {
    const members: { profile: Profile; popup: Page; part: string }[] = [];
    for (let i = 0; i < STAGES + 1; i++) {
      const profile = await open();
      members.push({ profile, popup: await startContributing(profile), part: '' });
      // The fifth comes when each part has its holder.
      if (i >= STAGES - 1) for (const member of members) member.part = await partHeld(member.popup);
    }
    const standby = members.pop()!;
    expect(new Set(members.map(({ part }) => part)).size).toBe(STAGES);
    const leaving = members.find(({ part }) => part === standby.part)!;

    const chat = await (await open()).open('popup');
    await chat.getByRole('button', { name: /settings/i }).click();
    await chat.getByLabel('Temperature').fill('0');
    await chat.getByLabel('Max tokens').fill(String(NEW_TOKENS));
    await chat.keyboard.press('Escape');
    await chat.getByRole('textbox', { name: 'Message' }).fill(PROMPT);
    await chat.getByRole('button', { name: 'Send' }).click();

    const reference = readFileSync(join(STORIES, 'expected-greedy-200.txt'), 'utf8').slice(PROMPT.length);
    const answer = chat.getByTestId('answer');
    await expect.poll(() => answer.textContent(), { timeout: 60_000 }).toMatch(/\w/);
    profiles.delete(leaving.profile);
    await leaving.profile.close();
    expect((await answer.textContent())!.length, 'the answer was still running').toBeLessThan(reference.length);

    await expect.poll(() => answer.textContent(), { timeout: 120_000 }).toBe(reference);
    for (const { popup } of [standby, ...members.filter((member) => member !== leaving)]) {
      await expect.poll(() => balance(popup), { timeout: 30_000 }).toBe('0.05 ALC');
    }
    for (const { problems } of profiles) expect(problems).toEqual([]);
  });
});

async function partHeld(popup: Page): Promise<string> {
  await popup.getByRole('tab', { name: 'Earnings' }).click();
  const stage = popup.getByTestId('stage');
  await expect.poll(() => stage.textContent(), { timeout: 120_000 }).toMatch(/part \d of 4/i);
  return /part \d of 4/i.exec((await stage.textContent())!)![0].toLowerCase();
}
