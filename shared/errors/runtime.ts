/** Errors of running stages: planning, memory, engines. */
export const runtimeSentences = {
  STAGE_RANGE_INVALID: (d: { start: number; end: number; units: number }) =>
    `The stage ${d.start}–${d.end} is not a part of this model, which has ${d.units} units.`,
  MLP_PARTS_INVALID: (d: { mlpParts: number; most: number }) =>
    `An MLP of this model can be divided into 1 to ${d.most} parts, not ${d.mlpParts}.`,
  CONTEXT_LENGTH_INVALID: (d: { contextLength: number; maxPositions: number }) =>
    `This model reads 1 to ${d.maxPositions} tokens, so it cannot be given a context of ${d.contextLength}.`,
  STEP_INVALID: (d: { reason: string }) => `A step of the model cannot be computed: ${d.reason}.`,
  PLAN_IMPOSSIBLE: (d: { reason: string }) => `The model cannot be spread over these nodes: ${d.reason}.`,
  MEMORY_BUDGET_EXCEEDED: (d: { neededBytes: number; budgetBytes: number }) =>
    `This part of the model needs ${mebibytes(d.neededBytes)} MiB, but only ${mebibytes(d.budgetBytes)} MiB may be used.`,
  ENGINE_UNAVAILABLE: (d: { engine: string; reason: string }) =>
    `The engine “${d.engine}” cannot run here: ${d.reason}.`,
  ENGINE_FAILED: (d: { reason: string }) => `Computing failed: ${d.reason}.`,
  STAGE_RELEASED: (_: Record<never, never>) => 'This part of the model was already unloaded.',
  POSITION_INVALID: (d: { position: number; expected: number }) =>
    `A step for position ${d.position} arrived where position ${d.expected} was expected.`,
  CONTEXT_FULL: (d: { contextLength: number }) =>
    `The text has reached the ${d.contextLength} tokens this model can hold.`,
  SAMPLING_INVALID: (d: { reason: string }) => `These sampling settings cannot be used: ${d.reason}.`,
};

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}
