/** Which node holds which part of a model, whose MLP half-layers are divided as far as that takes. Pure. */
import { AiloError } from '../errors/index.ts';
import { totalBytes } from '../graph/memory.ts';
import { stageMemory } from '../graph/placement.ts';
import type { UnitRange } from '../graph/types.ts';
import { divided, units } from '../graph/units.ts';
import type { ModelConfig } from '../model/types.ts';
import { divisions } from './division.ts';
import { type Figures, figuresOf, type StageOptions } from './figures.ts';
import { type PlanNode, plan } from './plan.ts';

export interface ModelPlanner {
  /** Memory (bytes) of a stage with all its sequences. Throws STAGE_RANGE_INVALID, MLP_PARTS_INVALID. */
  memoryBytes(range: UnitRange): number;
  /**
   * Stages over some of the nodes, in order, that make up `range` of undivided units: exactly `stages`, or as few as fit.
   * Half-layers stay whole where there are enough of them and nodes that can hold them; otherwise the MLPs are divided
   * into as few parts as will do. Undefined where the nodes don't suffice.
   */
  plan(request: PlanRequest): ModelStage[] | undefined;
}

export interface PlanRequest {
  /** Of undivided units. */
  range: UnitRange;
  /** `budgetBytes` is all that the node offers. */
  nodes: PlanNode[];
  stages?: number | undefined;
  /** Uniform in [0, 1), for the draw of the nodes. */
  random: () => number;
}

export interface ModelStage {
  node: string;
  range: UnitRange;
}

/** A planner that remembers the model's figures. */
export function modelPlanner(config: ModelConfig, options: StageOptions): ModelPlanner {
  const { quant, contextLength, maxSequences, wire } = options;
  const whole = units(config);
  const figures = remembered(String, (mlpParts: number) => figuresOf(config, mlpParts, options));
  const memoryBytes = remembered(
    ({ start, end, mlpParts = 1 }: UnitRange) => `${start}-${end}/${mlpParts}`,
    (range) => totalBytes(stageMemory(config, range, quant, contextLength, wire), maxSequences),
  );
  return {
    memoryBytes,
    plan({ range: undivided, nodes, stages, random }) {
      const largestBudget = Math.max(0, ...nodes.map(({ budgetBytes }) => budgetBytes));
      const part = (mlpParts: number) => {
        const range = divided(undivided, mlpParts);
        return { range, figures: within(figures(mlpParts), range) };
      };
      // What no division makes smaller must fit before any is tried.
      const { figures: coarsest } = part(1);
      const indivisible = coarsest.unitBytes.filter((_, i) => whole[undivided.start + i]!.kind !== 'mlp');
      if (Math.max(0, ...indivisible) + coarsest.overheadBytes > largestBudget) return undefined;
      const isEnough = (mlpParts: number) => {
        const { unitBytes, overheadBytes } = part(mlpParts).figures;
        return unitBytes.length >= (stages ?? 1) && Math.max(...unitBytes) + overheadBytes <= largestBudget;
      };
      for (const mlpParts of divisions(config, isEnough)) {
        const { range, figures } = part(mlpParts);
        const planned = planWith(figures, nodes, stages, random);
        if (!planned) continue;
        return planned.map(({ node, start, end }) => ({
          node,
          range: { ...range, start: range.start + start, end: range.start + end },
        }));
      }
      return undefined;
    },
  };
}

function planWith(figures: Figures, nodes: PlanNode[], stages: number | undefined, random: () => number) {
  const { unitCosts, unitBytes, overheadBytes } = figures;
  const left = nodes.map((node) => ({ ...node, budgetBytes: node.budgetBytes - overheadBytes }));
  try {
    return plan({ unitCosts, unitBytes, nodes: left, random, ...(stages !== undefined && { stages }) }).stages;
  } catch (error) {
    if (error instanceof AiloError && error.code === 'PLAN_IMPOSSIBLE') return undefined;
    throw error;
  }
}

function within(figures: Figures, { start, end }: UnitRange): Figures {
  const { unitCosts, unitBytes, overheadBytes } = figures;
  return { unitCosts: unitCosts.slice(start, end), unitBytes: unitBytes.slice(start, end), overheadBytes };
}

function remembered<A, R>(keyOf: (argument: A) => string, compute: (argument: A) => R): (argument: A) => R {
  const known = new Map<string, R>();
  return (argument) => {
    const key = keyOf(argument);
    const result = known.get(key) ?? compute(argument);
    known.set(key, result);
    return result;
  };
}
