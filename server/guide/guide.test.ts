/** The built-in model as it ships, asked a sample of what it was never trained on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BUILT_IN_MODEL } from '../model/built-in.ts';
import { type Asked, openToAsk } from './ask.ts';
import { readCorpus } from './corpus.ts';
import { examine } from './examine.ts';

const STRIDE = 4;

describe('ailo-guide', () => {
  let guide: Asked;
  beforeAll(async () => {
    guide = await openToAsk(BUILT_IN_MODEL, 'f32');
  });
  afterAll(() => guide.close());

  test('answers what it was never asked in these words, and refuses what is not about Ailo', async () => {
    const { wordings, patterns, offTopic, onTopic } = await examine(await readCorpus(), guide, STRIDE);
    expect(wordings.exact / wordings.asked).toBeGreaterThan(0.7);
    expect(patterns.exact / patterns.asked).toBeGreaterThan(0.1);
    expect(offTopic.refused / offTopic.asked).toBeGreaterThan(0.75);
    expect(onTopic.refused / onTopic.asked).toBeLessThan(0.1);
  }, 120_000);

  test('answers each question alone, and ends by itself where nothing sensible is asked', async () => {
    const answer = await guide.answer('What is the fee?');
    await guide.answer('Who are you?');
    expect(await guide.answer('What is the fee?')).toBe(answer);
    expect((await guide.answer('x'.repeat(2000))).length).toBeLessThan(2000);
  });
});
