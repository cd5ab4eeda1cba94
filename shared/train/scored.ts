/** What a model is measured on: texts whose tokens it predicts, from some place on. */
import type { ScoredText } from '../generate/score.ts';
import type { Batch } from './data.ts';
import type { Dialogue } from './dialogues.ts';
import { IGNORED } from './loss.ts';
import type { BatchShape } from './model/model.ts';

/** A long text in pieces of `sequence` + 1 tokens, so that every token of it but the first is predicted once. */
export function textPieces(corpus: Int32Array, sequence: number): ScoredText[] {
  const count = Math.ceil((corpus.length - 1) / sequence);
  return Array.from({ length: Math.max(0, count) }, (_, i) => ({
    tokens: [...corpus.subarray(i * sequence, (i + 1) * sequence + 1)],
    from: 1,
  }));
}

/** Of dialogues the answers, as far as a sequence holds them. */
export function answersOf(dialogues: readonly Dialogue[], sequence: number): ScoredText[] {
  return dialogues
    .filter(({ answerStart }) => answerStart <= sequence)
    .map(({ tokens, answerStart }) => ({ tokens: [...tokens.subarray(0, sequence + 1)], from: answerStart }));
}

/** The texts as rows of batches, for the graphs that take many tokens at once. */
export function* batchesOf(
  texts: readonly ScoredText[],
  { batch, sequence }: BatchShape,
): Generator<Batch, void, void> {
  for (let first = 0; first < texts.length; first += batch) {
    const [tokens, targets] = [new Int32Array(batch * sequence), new Int32Array(batch * sequence).fill(IGNORED)];
    for (const [row, text] of texts.slice(first, first + batch).entries()) {
      tokens.set(text.tokens.slice(0, -1), row * sequence);
      targets.set(text.tokens.slice(text.from), row * sequence + text.from - 1);
    }
    yield { tokens, targets };
  }
}
