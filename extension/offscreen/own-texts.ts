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
  const { texts, textUses } = database;

  return {
    count: () => texts.count(),
    async list() {
      const uses = await textUses.toArray();
      const listed: OwnText[] = [];
      // One after the other, so that not all are in memory.
      await texts.orderBy('id').each(({ id, name, text, bytes, addedMs }) => {
        listed.push({ id, name, bytes, characters: [...text].length, addedMs, uses: usesOf(uses, id) });
      });
      return listed;
    },
    async add(name, text) {
      if (text.trim() === '') throw invalid('it is empty');
      const bytes = new TextEncoder().encode(text).length;
      await database.transaction('rw', texts, async () => {
        let characters = text.length;
        await texts.each((row) => {
          characters += row.text.length;
        });
        if (characters > MAX_OWN_CHARACTERS) throw invalid('all of them together would be too long');
        if ((await texts.count()) >= MAX_OWN_TEXTS) throw invalid('there are as many as there may be');
        await texts.add({ name, text, bytes, addedMs: now() });
      });
    },
    remove: (id) => texts.delete(id),
    read: async () => (await texts.orderBy('id').toArray()).map(({ text }) => text),
    roundsOf: (campaign) => textUses.where('campaign').equals(campaign).count(),
    async note(campaign, round) {
      await database.transaction('rw', texts, textUses, async () => {
        await textUses.add({ campaign, round, timeMs: now(), texts: await texts.toCollection().primaryKeys() });
      });
    },
  };
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
