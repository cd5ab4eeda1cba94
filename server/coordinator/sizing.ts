/** A model's figures as its room needs them: memory of a run of units, and a plan over candidates. Pure. */
import { units } from '../../shared/graph/units.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import type { StageOptions } from '../../shared/plan/figures.ts';
import { modelPlanner } from '../../shared/plan/model-plan.ts';
import type { RoomSpec } from './room.ts';

export function sizing(config: ModelConfig, options: StageOptions): Pick<RoomSpec, 'units' | 'memoryBytes' | 'plan'> {
  const planner = modelPlanner(config, options);
  return {
    units: units(config).length,
    memoryBytes: planner.memoryBytes,
    plan(range, candidates, random, stages) {
      const nodes = candidates.map(({ node, offer }) => ({
        id: node,
        speed: offer.matmulGflops,
        budgetBytes: offer.budgetBytes,
      }));
      return planner.plan({ range, nodes, stages, random });
    },
  };
}
