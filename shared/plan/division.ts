/** Into how many parts each MLP half-layer is divided, where half-layers are too few or too large. Pure. */
import { maxMlpParts } from '../graph/mlp-parts.ts';
import type { UnitRange } from '../graph/types.ts';
import { unitCost, units } from '../graph/units.ts';
import type { ModelConfig } from '../model/types.ts';
import { splitEvenly } from './plan.ts';

/** The fewest parts with which the model has a unit for each of `stages`, or the most it can have. */
export function partsForStages(config: ModelConfig, stages: number): number {
  const needed = Math.ceil((stages - 2) / config.layers) - 1;
  return Math.max(1, Math.min(needed, maxMlpParts(config)));
}

/** `stages` ranges of the model, the costliest as cheap as can be. Throws PLAN_IMPOSSIBLE. */
export function splitModel(config: ModelConfig, stages: number): UnitRange[] {
  const mlpParts = partsForStages(config, stages);
  const costs = units(config, mlpParts).map((unit) => unitCost(config, unit));
  return splitEvenly(costs, stages).map((range) => (mlpParts === 1 ? range : { ...range, mlpParts }));
}

/** Each number of parts that is tried is at least by this factor more than the one before: a few tries, not 64. */
const GROWTH = 1.25;

/**
 * The numbers of parts worth trying, the fewest first: from the first that is enough as far as is cheap to tell
 * (`isEnough`, which once true stays true for more parts) to the most that the model's MLPs can have.
 */
export function* divisions(config: ModelConfig, isEnough: (mlpParts: number) => boolean): Generator<number> {
  const most = maxMlpParts(config);
  let mlpParts = 1;
  while (mlpParts <= most && !isEnough(mlpParts)) mlpParts++;
  while (mlpParts <= most) {
    yield mlpParts;
    mlpParts = Math.max(mlpParts + 1, Math.floor(GROWTH * mlpParts));
  }
}
