/** Stages that compute something a test can foresee, in place of an engine. */
import { AiloError } from '../errors/index.ts';
import type { LoadedStage, StageInput, StageOutput } from '../runtime/types.ts';
import type { StageShape } from './step.ts';

export const VOCABULARY = 50;

/**
 * The next token of the model that these stages make up: the sum of all tokens so far. Each stage keeps its caches as
 * strictly as a real one; hidden rows are [token, token].
 */
export function sumStage(takes: 'tokens' | 'hidden', gives: 'hidden' | 'logits') {
  const caches = new Map<string, number[]>();
  const shape: StageShape = { takes, gives, hiddenSize: 2, vocabSize: VOCABULARY };
  const log: string[] = [];
  let released = false;
  const stage: LoadedStage = {
    async run({ sequence, position, input }): Promise<StageOutput> {
      if (released) throw AiloError.of('STAGE_RELEASED', {});
      const cache = caches.get(sequence) ?? [];
      caches.set(sequence, cache);
      if (position !== cache.length) throw AiloError.of('POSITION_INVALID', { position, expected: cache.length });
      const tokens = tokensOf(input);
      cache.push(...tokens);
      log.push(`${position}+${tokens.length}`);
      await Promise.resolve();
      if (gives === 'hidden') {
        return { kind: 'hidden', rows: tokens.length, data: Float32Array.from(tokens.flatMap((id) => [id, id])) };
      }
      const data = new Float32Array(VOCABULARY);
      data[cache.reduce((sum, id) => sum + id, 0) % VOCABULARY] = 1;
      return { kind: 'logits', data };
    },
    async drop(sequence) {
      caches.delete(sequence);
      log.push('drop');
    },
    async release() {
      released = true;
      log.push('release');
    },
  };
  return { stage, shape, caches, log };
}

function tokensOf(input: StageInput): number[] {
  if (input.kind === 'tokens') return [...input.ids];
  return [...input.data].filter((_, i) => i % 2 === 0);
}

/** What the model of `sumStage`s answers. */
export function sumAnswer(prompt: number[], count: number): number[] {
  const tokens = [...prompt];
  for (let i = 0; i < count; i++) tokens.push(tokens.reduce((sum, id) => sum + id, 0) % VOCABULARY);
  return tokens.slice(prompt.length);
}
