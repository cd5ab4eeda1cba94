/** How far a training is, as its journal has it. */
import * as v from 'valibot';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const Finite = v.pipe(v.number(), v.finite());

export const StepRecord = v.strictObject({
  /** What the files are laid out for. */
  layout: v.pipe(v.string(), v.maxLength(256)),
  /** Names the weights that the local steps began with. */
  start: v.pipe(v.string(), v.maxLength(128)),
  /** Steps of the optimiser that are finished, and how many were when these local steps began. */
  step: Count,
  began: Count,
  /** `filling`: the weights of `start` are being written. `applying`: of a finished step, some segments are updated. */
  phase: v.picklist(['filling', 'ready', 'applying']),
  update: v.optional(
    v.strictObject({
      learningRate: Finite,
      gradientScale: Finite,
      loss: Finite,
      gradientNorm: Finite,
      segments: Count,
    }),
  ),
});
export type StepRecord = v.InferOutput<typeof StepRecord>;
export type StepUpdate = NonNullable<StepRecord['update']>;
