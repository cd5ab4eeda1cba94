/**
 * First light: four Chromium profiles hold a model's parts, a fifth chats with it from its popup, and each of the four is
 * paid. Every part is the real one: browsers, extension, coordinator, database, trained model.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { balance, type Profile, startContributing } from './extension-harness.ts';
import { hasStories } from './network.ts';
import { askStories, PARTS, partHeld, type Stories, startStories } from './stories.ts';

describe.skipIf(!hasStories)('a model split over four browsers', () => {
  let stories: Stories;
  const contributors: Profile[] = [];
  let requester: Profile;

  beforeAll(async () => {
    stories = await startStories();
    for (let i = 0; i < PARTS; i++) contributors.push(await stories.open());
    requester = await stories.open();
  });
  afterAll(() => stories?.close());

  it('answers in the popup with the reference text, and pays each of the four', async () => {
    const popups = await Promise.all(contributors.map(startContributing));
    const parts = await Promise.all(popups.map(partHeld));
    expect(parts.sort()).toEqual([1, 2, 3, 4]);
    for (const popup of popups) expect(await balance(popup)).toBe('0 ALC');

    const { chat, answer, reference } = await askStories(requester);
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
    expect(stories.problems()).toEqual([]);
  });
});

/** Keeps what was shown, each text once. */
function note(seen: string[], text: string | null): string | null {
  if (text && seen.at(-1) !== text) seen.push(text);
  return text;
}
