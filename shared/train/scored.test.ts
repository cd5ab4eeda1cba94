import { expect, test } from 'vitest';
import { countedTargets } from './data.ts';
import { IGNORED } from './loss.ts';
import { answersOf, batchesOf, textPieces } from './scored.ts';

const corpus = Int32Array.from({ length: 100 }, (_, i) => i);
const SHAPE = { batch: 2, sequence: 8 };

test.each([0, 1, 2, 16, 17, 33, 100])('of the first %i tokens every one but the first is predicted once', (length) => {
  const text = corpus.subarray(0, length);
  const batches = [...batchesOf(textPieces(text, SHAPE.sequence), SHAPE)];
  const predicted = batches.flatMap(({ targets }) => [...targets].filter((target) => target !== IGNORED));
  expect(predicted).toEqual([...text.subarray(1)]);
  expect(batches.reduce((sum, batch) => sum + countedTargets(batch), 0)).toBe(Math.max(0, length - 1));
  expect(batches.every(({ tokens }) => tokens.length === 16)).toBe(true);
});

test('of dialogues only answers are predicted, each in a row of its own and cut where the sequence ends', () => {
  const texts = answersOf(
    [
      { tokens: Int32Array.of(1, 2, 3, 4), answerStart: 2 },
      { tokens: corpus.subarray(10, 30), answerStart: 6 },
      { tokens: corpus.subarray(10, 30), answerStart: 9 },
    ],
    SHAPE.sequence,
  );
  expect([...batchesOf(texts, SHAPE)]).toEqual([
    {
      tokens: Int32Array.of(1, 2, 3, 0, 0, 0, 0, 0, 10, 11, 12, 13, 14, 15, 16, 17),
      targets: Int32Array.of(-1, 3, 4, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, 16, 17, 18),
    },
  ]);
});
