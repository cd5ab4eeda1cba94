import { expect, test } from 'vitest';
import { seededRandom } from '../sampler/random.ts';
import { cutOff, type Dialogue, dialogueCorpus } from './dialogues.ts';
import { IGNORED } from './loss.ts';

/** A prompt of the dialogue's number, twice, then an answer of three tokens that tell which and where. */
const DIALOGUES = Array.from({ length: 12 }, (_, i): Dialogue => {
  const of = 100 * (i + 1);
  return { tokens: Int32Array.of(of, of, of + 1, of + 2, of + 3), answerStart: 2 };
});
const SHAPE = { batch: 4, sequence: 13 };

test('a sequence is whole dialogues and a cut one, and only answers are learned', () => {
  const random = seededRandom(1);
  for (let i = 0; i < 50; i++) {
    const { tokens, targets } = dialogueCorpus(DIALOGUES).randomBatch(SHAPE, random);
    for (let at = 0; at < tokens.length; at++) {
      const column = at % SHAPE.sequence;
      const place = column % 5;
      expect(tokens[at]! % 100).toBe(Math.max(0, place - 1));
      // Of the cut one at the end, the last place still has its target.
      const learned = place >= 1 && place <= 3;
      expect(targets[at]).toBe(
        learned ? tokens[at - (place - 1)]! - (tokens[at - (place - 1)]! % 100) + place : IGNORED,
      );
    }
  }
});

test('what tells how well is not what is trained on, and workers share nothing', () => {
  const { training, validation } = dialogueCorpus(DIALOGUES).split(0.75, SHAPE);
  const numbers = (corpus: typeof training) => {
    const random = seededRandom(2);
    const drawn = Array.from({ length: 40 }, () => [...corpus.randomBatch(SHAPE, random).tokens]).flat();
    return new Set(drawn.map((token) => Math.floor(token / 100)));
  };
  expect([...numbers(validation)].sort((a, b) => a - b)).toEqual([10, 11, 12]);
  const [first, second, third] = training.shards(3, SHAPE).map(numbers);
  expect([...first!, ...second!, ...third!].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('too few dialogues are refused', () => {
  const tooShort = expect.objectContaining({ code: 'TRAINING_DATA_TOO_SHORT' });
  expect(() => dialogueCorpus([])).toThrow(tooShort);
  expect(() => dialogueCorpus(DIALOGUES.slice(0, 2)).shards(3, SHAPE)).toThrow(tooShort);
});

test('a dialogue that is cut off keeps its prompt and the beginning of its answer', () => {
  expect(cutOff(DIALOGUES[0]!, 1)).toEqual({ tokens: Int32Array.of(100, 100, 101), answerStart: 2 });
  expect(cutOff(DIALOGUES[0]!, 9)).toEqual(DIALOGUES[0]);
});
