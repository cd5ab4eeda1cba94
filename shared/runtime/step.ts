import { AiloError } from '../errors/index.ts';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import type { StageGraph } from '../graph/types.ts';
import type { StageInput, StageStep } from './types.ts';

export function rowsOf(input: StageInput): number {
  return input.kind === 'tokens' ? input.ids.length : input.rows;
}

/**
 * Refuses a step that the stage cannot compute, before anything is allocated for it; `length` is what the sequence has
 * in its caches. Throws STEP_INVALID, POSITION_INVALID, CONTEXT_FULL.
 */
export function checkStep(
  { takes, inWidth, vocabSize, contextLength }: Pick<StageGraph, 'takes' | 'inWidth' | 'vocabSize' | 'contextLength'>,
  { position, input }: Pick<StageStep, 'position' | 'input'>,
  length: number,
): void {
  const rows = rowsOf(input);
  if (input.kind !== takes) throw invalid(`it brings ${input.kind} where the stage takes ${takes}`);
  if (!(Number.isInteger(rows) && rows >= 1 && rows <= MAX_STEP_ROWS)) {
    throw invalid(`it has ${rows} rows, not 1 to ${MAX_STEP_ROWS}`);
  }
  if (input.kind === 'hidden' && input.data.length !== rows * inWidth) {
    throw invalid(`it has ${input.data.length} values where ${rows} rows have ${rows * inWidth}`);
  }
  if (input.kind === 'tokens' && !input.ids.every((id) => id >= 0 && id < vocabSize)) {
    throw invalid(`it has a token outside the vocabulary of ${vocabSize}`);
  }
  if (position !== length) throw AiloError.of('POSITION_INVALID', { position, expected: length });
  if (position + rows > contextLength) throw AiloError.of('CONTEXT_FULL', { contextLength });
}

function invalid(reason: string): AiloError {
  return AiloError.of('STEP_INVALID', { reason });
}
