import { AiloError } from '../errors/index.ts';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import type { StageGraph } from '../graph/types.ts';
import type { StageInput, StageStep } from './types.ts';

export function rowsOf(input: StageInput): number {
  return input.kind === 'tokens' ? input.ids.length : input.rows;
}

/** Rows whose logits a step wants: its last one where it does not say. */
export function logitsOf({ logits = 1 }: StageStep): number {
  return logits;
}

/** Refuses steps that can't be one run. Throws STEP_INVALID. */
export function checkTogether({ lanes }: Pick<StageGraph, 'lanes'>, steps: readonly StageStep[]): void {
  if (steps.length < 1 || steps.length > lanes) throw invalid(`a run has ${steps.length} steps, not 1 to ${lanes}`);
  if (new Set(steps.map(({ sequence }) => sequence)).size < steps.length)
    throw invalid('a run has two steps of one text');
  const rows = steps.reduce((sum, { input }) => sum + rowsOf(input), 0);
  if (rows > MAX_STEP_ROWS) throw invalid(`a run has ${rows} rows, more than ${MAX_STEP_ROWS}`);
}

/**
 * Refuses a step that the stage cannot compute, before anything is allocated for it; `length` is what the sequence has
 * in its caches. Throws STEP_INVALID, POSITION_INVALID, CONTEXT_FULL.
 */
export function checkStep(
  { takes, inWidth, vocabSize, contextLength }: Pick<StageGraph, 'takes' | 'inWidth' | 'vocabSize' | 'contextLength'>,
  step: StageStep,
  length: number,
): void {
  const { position, input } = step;
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
  const logits = logitsOf(step);
  if (!(Number.isInteger(logits) && logits >= 0 && logits <= rows)) {
    throw invalid(`it asks for logits of ${logits} of its ${rows} rows`);
  }
  if (position !== length) throw AiloError.of('POSITION_INVALID', { position, expected: length });
  if (position + rows > contextLength) throw AiloError.of('CONTEXT_FULL', { contextLength });
}

function invalid(reason: string): AiloError {
  return AiloError.of('STEP_INVALID', { reason });
}
