import { describe, expect, test } from 'vitest';
import { seededRandom } from '../sampler/random.ts';
import { randomBatch, splitCorpus } from './data.ts';

const corpus = Int32Array.from({ length: 100 }, (_, i) => i);

test('a random batch holds consecutive tokens and what follows each, from every place of the text', () => {
  const random = seededRandom(1);
  const starts = new Set<number>();
  for (let round = 0; round < 400; round++) {
    const { tokens, targets } = randomBatch(corpus, { batch: 2, sequence: 8 }, random);
    expect([...targets]).toEqual(Array.from(tokens, (token) => token + 1));
    starts.add(tokens[0]!).add(tokens[8]!);
  }
  expect([Math.min(...starts), Math.max(...starts), starts.size]).toEqual([0, 91, 92]);
});

describe('a text', () => {
  test('is split in order', () => {
    const { training, validation } = splitCorpus(corpus, 0.9, { batch: 1, sequence: 8 });
    expect([training.length, validation[0]]).toEqual([90, 90]);
  });

  test('that is too short is refused', () => {
    const tooShort = expect.objectContaining({ code: 'TRAINING_DATA_TOO_SHORT' });
    expect(() => splitCorpus(corpus, 0.9, { batch: 1, sequence: 10 })).toThrow(tooShort);
    expect(() => randomBatch(corpus, { batch: 1, sequence: 100 }, seededRandom(1))).toThrow(tooShort);
  });
});
