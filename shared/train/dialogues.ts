import { AiloError } from '../errors/index.ts';
import type { Corpus } from './corpus.ts';
import type { Batch, Random } from './data.ts';
import { IGNORED } from './loss.ts';
import type { BatchShape } from './model/model.ts';

/** A dialogue as its tokens, from `answerStart` on those that are to be learned. */
export interface Dialogue {
  tokens: Int32Array;
  answerStart: number;
}

/** Of the answer only the first `count` tokens, which decide about it: the rest follows from them. */
export function cutOff({ tokens, answerStart }: Dialogue, count: number): Dialogue {
  return { tokens: tokens.subarray(0, answerStart + count), answerStart };
}

/**
 * Dialogues, of which only the answers count. A sequence is filled with random ones, one after the other, of which the
 * last may be cut off.
 */
export function dialogueCorpus(dialogues: readonly Dialogue[]): Corpus {
  if (dialogues.length === 0) throw tooShort(0, 1);
  return {
    split(share) {
      const cut = Math.floor(dialogues.length * share);
      return { training: dialogueCorpus(dialogues.slice(0, cut)), validation: dialogueCorpus(dialogues.slice(cut)) };
    },
    shards(workers) {
      const size = Math.floor(dialogues.length / workers);
      if (size === 0) throw tooShort(dialogues.length, workers);
      return Array.from({ length: workers }, (_, i) => dialogueCorpus(dialogues.slice(i * size, (i + 1) * size)));
    },
    randomBatch: (shape, random) => filledBatch(dialogues, shape, random),
  };
}

function filledBatch(dialogues: readonly Dialogue[], { batch, sequence }: BatchShape, random: Random): Batch {
  const size = batch * sequence;
  const result = { tokens: new Int32Array(size), targets: new Int32Array(size).fill(IGNORED) };
  for (let row = 0; row < size; row += sequence) {
    for (let at = 0; at < sequence; ) {
      const { tokens, answerStart } = dialogues[random() % dialogues.length]!;
      const room = Math.min(tokens.length, sequence - at);
      result.tokens.set(tokens.subarray(0, room), row + at);
      // The token before an answer is where it is predicted from; a place whose target was cut off still has one.
      const learned = Math.min(tokens.length, sequence - at + 1) - answerStart;
      if (learned > 0) {
        result.targets.set(tokens.subarray(answerStart, answerStart + learned), row + at + answerStart - 1);
      }
      at += room;
    }
  }
  return result;
}

function tooShort(tokens: number, needed: number): AiloError {
  return AiloError.of('TRAINING_DATA_TOO_SHORT', { tokens, needed });
}
