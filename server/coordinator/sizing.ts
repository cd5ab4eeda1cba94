/** A model's figures as its room needs them: memory of a run of units, and a plan over candidates. Pure. */
import { stageMemory } from '../../shared/graph/placement.ts';
import type { Quant } from '../../shared/graph/types.ts';
import { units } from '../../shared/graph/units.ts';
import { kernelsKnow } from '../../shared/kernels/knows.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import type { StageOptions } from '../../shared/plan/figures.ts';
import { modelPlanner } from '../../shared/plan/model-plan.ts';
import { CACHE_BYTES, MAX_SEQUENCES, MIN_SEQUENCES } from './limits.ts';
import type { Offer, RoomSpec } from './room.ts';

/** How many sequences a room keeps caches for, as its memory allows. */
export function sequencesOf(config: ModelConfig, quant: Quant, contextLength: number): number {
  const whole = { start: 0, end: units(config).length };
  const { weightBytes, cacheBytes } = stageMemory(config, whole, quant, contextLength);
  const fitting = Math.floor(Math.max(weightBytes, CACHE_BYTES) / cacheBytes);
  return Math.max(MIN_SEQUENCES, Math.min(MAX_SEQUENCES, fitting));
}

export function sizing(
  config: ModelConfig,
  options: StageOptions,
): Pick<RoomSpec, 'units' | 'budgetOf' | 'memoryBytes' | 'plan'> {
  const forKernels = kernelsKnow(config, options.quant);
  const budgetOf = ({ budgetBytes, kernelBudgetBytes }: Offer) => (forKernels && kernelBudgetBytes) || budgetBytes;
  const planner = modelPlanner(config, options);
  return {
    units: units(config).length,
    budgetOf,
    memoryBytes: planner.memoryBytes,
    plan(range, candidates, random, stages) {
      const nodes = candidates.map(({ node, offer }) => ({
        id: node,
        speed: offer.matmulGflops,
        budgetBytes: budgetOf(offer),
      }));
      return planner.plan({ range, nodes, stages, random });
    },
  };
}
