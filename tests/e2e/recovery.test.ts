/**
 * An answer survives a browser that is closed in the middle of it: four Chromium profiles hold a model's parts, a fifth
 * holds one of them as well, and goes on in the place of the one that is gone.
 */
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balance, type Profile, startContributing } from './extension-harness.ts';
import { hasStories } from './network.ts';
import { askStories, PARTS, partHeld, type Stories, startStories } from './stories.ts';

describe.skipIf(!hasStories)('an answer of four browsers, one of which is closed', () => {
  let stories: Stories;

  beforeAll(async () => {
    stories = await startStories();
  });
  afterAll(() => stories?.close());

  it('is the reference text, and who went on is paid in the place of who left', async () => {
    const members: { profile: Profile; popup: Page; part: number }[] = [];
    for (let i = 0; i < PARTS + 1; i++) {
      const profile = await stories.open();
      members.push({ profile, popup: await startContributing(profile), part: 0 });
      // The fifth comes when each part has its holder.
      if (i >= PARTS - 1) for (const member of members) member.part = await partHeld(member.popup);
    }
    const standby = members.pop()!;
    expect(new Set(members.map(({ part }) => part)).size).toBe(PARTS);
    const leaving = members.find(({ part }) => part === standby.part)!;

    const { answer, reference } = await askStories(await stories.open());
    await expect.poll(() => answer.textContent(), { timeout: 60_000 }).toMatch(/\w/);
    await leaving.profile.close();
    expect((await answer.textContent())!.length, 'the answer was still running').toBeLessThan(reference.length);

    await expect.poll(() => answer.textContent(), { timeout: 120_000 }).toBe(reference);
    for (const { popup } of [standby, ...members.filter((member) => member !== leaving)]) {
      await expect.poll(() => balance(popup), { timeout: 30_000 }).toBe('0.05 ALC');
    }
    expect(stories.problems()).toEqual([]);
  });
});
