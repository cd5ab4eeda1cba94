/** How well a model predicts given tokens, through the graphs that answer: each in a step of its own, as in decoding. */
import { throwIfCancelled } from '../errors/cancelled.ts';
import { type ChainOptions, loadChain } from './chain.ts';

/** Tokens that are read from the beginning; those from `from` on (1 or more) are predicted. */
export interface ScoredText {
  tokens: readonly number[];
  from: number;
}

export interface ScoreOptions extends Omit<ChainOptions, 'contextLength'> {
  texts: readonly ScoredText[];
}

/** Of one text. */
export interface ScoreEvent {
  kind: 'scored';
  /** The sum over its predicted tokens, in nats. */
  nats: number;
  tokens: number;
}

/** Yields one event a text. Throws CONTEXT_LENGTH_INVALID for a text too long for the model, and as `generate`. */
export async function* score(options: ScoreOptions, signal?: AbortSignal): AsyncGenerator<ScoreEvent, void, void> {
  const { texts } = options;
  const contextLength = texts.reduce((longest, { tokens }) => Math.max(longest, tokens.length - 1), 1);
  const chain = await loadChain({ ...options, contextLength }, signal);
  try {
    for (const { tokens, from } of texts) {
      await chain.restart();
      let nats = 0;
      for (let position = 0; position < tokens.length - 1; position++) {
        throwIfCancelled(signal);
        const logits = await chain.run(position, Int32Array.of(tokens[position]!));
        if (position + 1 >= from) nats += surprise(logits, tokens[position + 1]!);
      }
      yield { kind: 'scored', nats, tokens: tokens.length - from };
    }
  } finally {
    await chain.release();
  }
}

/** −log softmax(logits)[token], in f64. */
function surprise(logits: Float32Array, token: number): number {
  const largest = logits.reduce((max, logit) => Math.max(max, logit), Number.NEGATIVE_INFINITY);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - largest), 0);
  return largest + Math.log(sum) - logits[token]!;
}
