/** Entries of the corpus → the dialogues that are trained on, and those that are only asked. The same for a seed. */
import { seededRandom } from '../sampler/random.ts';
import type { Entry } from './corpus.ts';
import { inPassing } from './surface.ts';

export interface Dialogue {
  question: string;
  answer: string;
}

export interface Dialogues {
  /** In random order. */
  training: Dialogue[];
  /** Held aside, of the same patterns and of patterns that nothing in `training` comes from. */
  held: { wordings: Dialogue[]; patterns: Dialogue[] };
  /** A ninth of `training`'s number, from what is held aside, in random order. */
  validation: Dialogue[];
}

/** Of an entry with many wordings, so that none outweighs the rest. */
const MAX_WORDINGS = 48;
/** Of every so many wordings one is held aside. */
const HELD_EVERY = 8;
/** How often a wording is trained on, each time as another person would type it. */
const MIN_COPIES = 24;

export function dialoguesOf(entries: readonly Entry[], seed: number): Dialogues {
  const random = seededRandom(seed);
  const training: Dialogue[] = [];
  const held: Dialogues['held'] = { wordings: [], patterns: [] };
  for (const { answer, wordings, unseen, isBroad } of entries) {
    const chosen = shuffled(wordings, random).slice(0, isBroad ? undefined : MAX_WORDINGS);
    const heldCount = Math.floor(chosen.length / HELD_EVERY);
    const dialogue = (question: string): Dialogue => ({ question, answer });
    held.wordings.push(...chosen.slice(0, heldCount).map(dialogue));
    held.patterns.push(...unseen.map(dialogue));
    const trained = chosen.slice(heldCount);
    const copies = Math.max(1, Math.round(MIN_COPIES / trained.length));
    for (const wording of trained) {
      const forms = new Set(Array.from({ length: copies }, () => inPassing(wording, random)));
      training.push(...[...forms].map(dialogue));
    }
  }
  const aside = shuffled([...held.wordings, ...held.patterns], random);
  const asked = new Set(aside.map(({ question }) => bare(question)));
  const learned = shuffled(
    training.filter(({ question }) => !asked.has(bare(question))),
    random,
  );
  const validation = Array.from({ length: Math.ceil(learned.length / 9) }, (_, i) => aside[i % aside.length]!);
  return { training: learned, held, validation };
}

/** Without what a person may add or leave out in typing. */
export function bare(question: string): string {
  return question.toLowerCase().replace(/[?.!]+$/, '');
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last--) {
    const other = random() % (last + 1);
    [copy[last], copy[other]] = [copy[other]!, copy[last]!];
  }
  return copy;
}
