/**
 * Which node holds which units of a model: a pure function of measured figures. Contiguous stages, as few as fit the
 * budgets (or exactly as many as asked for), held by nodes drawn at random among what fits, and split so that the
 * slowest stage is as fast as these nodes allow.
 */
import { AiloError } from '../errors/index.ts';
import type { UnitRange } from '../graph/types.ts';
import { coveringOrder, coversAll } from './cover.ts';
import { type Chain, chainOf, partition } from './partition.ts';

export interface PlanNode {
  id: string;
  /** Measured, GFLOP/s. */
  speed: number;
  budgetBytes: number;
}

export interface PlanInput {
  /** FLOPs (or anything in proportion) of each placement unit. */
  unitCosts: number[];
  unitBytes: number[];
  nodes: PlanNode[];
  /** Exactly so many stages; otherwise as few as fit. */
  stages?: number;
  /** Uniform in [0, 1), for the draw of the nodes. */
  random: () => number;
}

export interface PlannedStage extends UnitRange {
  node: string;
}

export interface Plan {
  /** In the order of execution; no stage is empty. */
  stages: PlannedStage[];
  /** Ids of the nodes without a stage. */
  spare: string[];
}

/** Draws of nodes that are tried before the largest budgets are taken instead. */
const RANDOM_DRAWS = 24;

/** Throws PLAN_IMPOSSIBLE with the reason. */
export function plan({ unitCosts, unitBytes, nodes, stages, random }: PlanInput): Plan {
  const chain = chainOf(unitCosts, unitBytes);
  const usable = nodes.filter((node) => node.speed > 0 && node.budgetBytes >= Math.min(...unitBytes));
  refuseHopeless(chain, unitBytes, usable, stages);
  if (stages === undefined) refuseUncoverable(chain, usable, random);
  const most = Math.min(chain.units, usable.length);
  for (let count = stages ?? fewest(chain, usable); count <= (stages ?? most); count++) {
    for (const draw of draws(chain, usable, count, random)) {
      // A cheap necessary condition first: the exact split costs a thousand times more.
      const ranges = coversAll(chain, draw) ? partition(chain, draw) : undefined;
      if (ranges === undefined) continue;
      const drawn = new Set(draw);
      return {
        stages: ranges.map(({ start, end }, i) => ({ node: draw[i]!.id, start, end })),
        spare: nodes.filter((node) => !drawn.has(node)).map((node) => node.id),
      };
    }
  }
  throw unfitting(stages);
}

/** `stages` runs of units, the costliest as cheap as can be. Throws PLAN_IMPOSSIBLE. */
export function splitEvenly(unitCosts: number[], stages: number): UnitRange[] {
  const noBytes = unitCosts.map(() => 0);
  const chain = chainOf(unitCosts, noBytes);
  refuseStages(chain, stages);
  const holders = Array.from({ length: stages }, () => ({ speed: 1, budgetBytes: 0 }));
  return partition(chain, holders)!;
}

/** Orders of `count` nodes to try: at random first, then what is likeliest to fit. */
function* draws(chain: Chain, nodes: PlanNode[], count: number, random: () => number): Generator<PlanNode[]> {
  for (let i = 0; i < RANDOM_DRAWS; i++) yield shuffle(nodes, random).slice(0, count);
  const largest = largestFirst(shuffle(nodes, random)).slice(0, count);
  for (let i = 0; i < RANDOM_DRAWS; i++) yield shuffle(largest, random);
  yield largest;
  const found = coveringOrder(chain, shuffle(nodes, random), count);
  if (found !== undefined) yield found;
}

/** No fewer nodes than this can hold the model: their budgets together are too small. */
function fewest(chain: Chain, nodes: PlanNode[]): number {
  let left = chain.bytes(0, chain.units);
  let count = 0;
  for (const node of largestFirst(nodes)) {
    if (left <= 0) break;
    left -= node.budgetBytes;
    count++;
  }
  return Math.max(1, count);
}

function refuseHopeless(chain: Chain, unitBytes: number[], usable: PlanNode[], stages: number | undefined): void {
  if (stages !== undefined) refuseStages(chain, stages);
  if (usable.length < (stages ?? 1)) {
    throw impossible(`it takes ${stages ?? 1} nodes, but only ${usable.length} can hold any of it`);
  }
  const largestUnit = Math.max(...unitBytes);
  const largestBudget = Math.max(...usable.map((node) => node.budgetBytes));
  if (largestUnit > largestBudget) {
    throw impossible(`its largest unit needs ${largestUnit} bytes, but no node offers more than ${largestBudget}`);
  }
  const needed = chain.bytes(0, chain.units);
  const offered = usable.reduce((sum, node) => sum + node.budgetBytes, 0);
  if (needed > offered) throw impossible(`it needs ${needed} bytes, but all nodes together offer ${offered}`);
}

/** Orders that cover the units with some of the nodes cover them with all: what all can't is not tried with fewer. */
function refuseUncoverable(chain: Chain, usable: PlanNode[], random: () => number): void {
  for (const draw of draws(chain, usable, usable.length, random)) if (coversAll(chain, draw)) return;
  throw unfitting(undefined);
}

function refuseStages(chain: Chain, stages: number): void {
  if (Number.isInteger(stages) && stages >= 1 && stages <= chain.units) return;
  throw impossible(`a model of ${chain.units} units has no ${stages} parts`);
}

function largestFirst(nodes: PlanNode[]): PlanNode[] {
  return nodes.toSorted((a, b) => b.budgetBytes - a.budgetBytes);
}

/** Fisher and Yates. */
function shuffle<T>(items: T[], random: () => number): T[] {
  const shuffled = [...items];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  return shuffled;
}

function unfitting(stages: number | undefined): AiloError {
  return impossible(`no split into ${stages ?? 'any number of'} parts fits what the nodes can hold`);
}

function impossible(reason: string): AiloError {
  return AiloError.of('PLAN_IMPOSSIBLE', { reason });
}
