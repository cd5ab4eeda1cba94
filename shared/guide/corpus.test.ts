import { describe, expect, test } from 'vitest';
import { readCorpus } from '../../server/guide/corpus.ts';
import { parseCorpus } from './corpus.ts';

const SAMPLE = `
# a remark
how = how do I|how to
> Press Stop.
{how} stop {it|}
~ make it {end|halt}
stop
>* No idea, {really}.
what is {a|b}
`;

test('patterns become wordings, with lists, alternatives and what is only asked', () => {
  expect(parseCorpus(SAMPLE)).toEqual([
    {
      answer: 'Press Stop.',
      wordings: ['how do I stop it', 'how do I stop', 'how to stop it', 'how to stop', 'stop'],
      unseen: ['make it end', 'make it halt'],
      isBroad: false,
    },
    { answer: 'No idea, {really}.', wordings: ['what is a', 'what is b'], unseen: [], isBroad: true },
  ]);
});

test.each([
  ['a pattern without an answer', 'hello'],
  ['no list', '> An answer.\n{who} is it'],
  ['an answer that nobody asks for', '> An answer.\n~ only this'],
])('%s is refused', (_, text) => {
  expect(() => parseCorpus(text)).toThrow(SyntaxError);
});

describe('the corpus', async () => {
  const entries = await readCorpus();

  test('has one answer for each wording', () => {
    const answers = new Map<string, string>();
    for (const { answer, wordings, unseen } of entries) {
      for (const wording of [...wordings, ...unseen].map((text) => text.toLowerCase())) {
        expect([wording, answers.get(wording) ?? answer]).toEqual([wording, answer]);
        answers.set(wording, answer);
      }
    }
    expect(answers.size).toBeGreaterThan(4000);
  });

  test('answers shortly', () => {
    for (const { answer } of entries) expect(answer.length, answer).toBeLessThan(260);
  });
});
