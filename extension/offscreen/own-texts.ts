/** Texts that the person gave to be learned from, and what was made of them. They are read by the node and by nobody else. */
import { AiloError } from '../../shared/errors/index.ts';
import type { LocalTexts } from '../../shared/node/local-texts.ts';
import type { OwnText } from '../state.ts';
import type { Database } from './database.ts';

/** Of all texts together: what a page hands over and a tokenizer goes through at once. */
export const MAX_OWN_CHARACTERS = 2 ** 25;
export const MAX_OWN_TEXTS = 200;

export interface OwnTexts extends LocalTexts {
  count(): Promise<number>;
  /** In the order in which they were added. */
  list(): Promise<OwnText[]>;
  /** Throws OWN_TEXT_INVALID for an empty one, or where there is no room. */
  add(name: string, text: string): Promise<void>;
  /** Deletes it for good. Rounds in which it was used stay counted, without its name. */
  remove(id: number): Promise<void>;
}

export function indexedDbTexts(database: Database, now: () => number): OwnTexts {
  const { texts, textWords, textUses } = database;

  return {
    count: () => texts.count(),
    async list() {
      const uses = await textUses.toArray();
      return (await texts.orderBy('id').toArray()).map((text) => ({ ...text, uses: usesOf(uses, text.id) }));
    },
    async add(name, text) {
      if (text.trim() === '') throw invalid('it is empty');
      const bytes = new TextEncoder().encode(text).length;
      const characters = charactersOf(text);
      await database.transaction('rw', texts, textWords, async () => {
        const all = await texts.toArray();
        const together = all.reduce((sum, row) => sum + row.characters, characters);
        if (together > MAX_OWN_CHARACTERS) throw invalid('all of them together would be too long');
        if (all.length >= MAX_OWN_TEXTS) throw invalid('there are as many as there may be');
        const id = await texts.add({ name, bytes, characters, addedMs: now() });
        await textWords.add({ id, text });
      });
    },
    async remove(id) {
      await database.transaction('rw', texts, textWords, async () => {
        await texts.delete(id);
        await textWords.delete(id);
      });
    },
    read: async () => (await textWords.orderBy('id').toArray()).map(({ text }) => text),
    roundsOf: (campaign) => textUses.where('campaign').equals(campaign).count(),
    async note(campaign, round) {
      await database.transaction('rw', texts, textUses, async () => {
        await textUses.add({ campaign, round, timeMs: now(), texts: await texts.toCollection().primaryKeys() });
      });
    },
  };
}

/** As a person counts them, roughly: code points. */
function charactersOf(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** By campaign, the last one first. */
function usesOf(uses: readonly { campaign: string; timeMs: number; texts: number[] }[], id: number): OwnText['uses'] {
  const found = new Map<string, OwnText['uses'][number]>();
  for (const { campaign, timeMs, texts } of uses) {
    if (!texts.includes(id)) continue;
    const rounds = (found.get(campaign)?.rounds ?? 0) + 1;
    found.set(campaign, { campaign, rounds, lastMs: timeMs });
  }
  return [...found.values()].sort((a, b) => b.lastMs - a.lastMs);
}

function invalid(reason: string): AiloError {
  return AiloError.of('OWN_TEXT_INVALID', { reason });
}
