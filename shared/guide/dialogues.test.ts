import { expect, test } from 'vitest';
import { readCorpus } from '../../server/guide/corpus.ts';
import { bare, dialoguesOf } from './dialogues.ts';

const entries = await readCorpus();

test('nothing that is held aside is trained on, however it is typed', () => {
  const { training, held, validation } = dialoguesOf(entries, 1);
  const trained = new Set(training.map(({ question }) => bare(question)));
  for (const { question } of [...held.wordings, ...held.patterns]) expect(trained).not.toContain(bare(question));
  const aside = new Set([...held.wordings, ...held.patterns].map(({ question }) => question));
  expect(validation.every(({ question }) => aside.has(question))).toBe(true);
});

test('at least a tenth is held aside, and every answer is learned', () => {
  const { training, held } = dialoguesOf(entries, 1);
  const asked = entries.reduce((sum, { unseen }) => sum + unseen.length, held.wordings.length);
  expect(asked).toBe(held.wordings.length + held.patterns.length);
  expect(asked / (new Set(training.map(({ question }) => question.toLowerCase())).size + asked)).toBeGreaterThan(0.1);
  expect(new Set(training.map(({ answer }) => answer)).size).toBe(new Set(entries.map(({ answer }) => answer)).size);
});

test('a seed gives the same dialogues, another one others; a ninth as many are for validation', () => {
  const [once, again, other] = [1, 1, 2].map((seed) => dialoguesOf(entries, seed));
  expect(again).toEqual(once);
  expect(other).not.toEqual(once);
  expect(once!.validation).toHaveLength(Math.ceil(once!.training.length / 9));
});
