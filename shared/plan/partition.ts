/** Splitting a chain of placement units into contiguous stages. Pure numbers. */
import type { UnitRange } from '../graph/types.ts';

export interface Holder {
  /** GFLOP/s. */
  speed: number;
  budgetBytes: number;
}

/** Costs and bytes of a model's placement units, so that those of any run are one subtraction. */
export interface Chain {
  units: number;
  cost(start: number, end: number): number;
  bytes(start: number, end: number): number;
}

export function chainOf(unitCosts: number[], unitBytes: number[]): Chain {
  const cost = prefixSums(unitCosts);
  const bytes = prefixSums(unitBytes);
  return {
    units: unitCosts.length,
    cost: (start, end) => cost[end]! - cost[start]!,
    bytes: (start, end) => bytes[end]! - bytes[start]!,
  };
}

function prefixSums(values: number[]): Float64Array {
  const sums = new Float64Array(values.length + 1);
  values.forEach((value, i) => {
    sums[i + 1] = sums[i]! + value;
  });
  return sums;
}

/** The furthest end of a run from `start` that the budget holds. */
export function reach(chain: Chain, start: number, budgetBytes: number): number {
  let [low, high] = [start, chain.units];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (chain.bytes(start, middle) <= budgetBytes) low = middle;
    else high = middle - 1;
  }
  return low;
}

/**
 * One run for each holder, in their order and none empty, such that the slowest (cost / speed) is as fast as can be;
 * undefined where none fits the budgets. Dynamic programming over (holders used, units covered): O(holders · units²).
 */
export function partition(chain: Chain, holders: Holder[]): UnitRange[] | undefined {
  const { units } = chain;
  const stages = holders.length;
  if (stages < 1 || stages > units) return undefined;
  // slowest[end]: the least slowest stage of the holders so far when they cover exactly the units before `end`.
  let slowest = new Float64Array(units + 1).fill(Number.POSITIVE_INFINITY);
  slowest[0] = 0;
  const starts: Int32Array[] = [];
  for (let stage = 0; stage < stages; stage++) {
    const { speed, budgetBytes } = holders[stage]!;
    const next = new Float64Array(units + 1).fill(Number.POSITIVE_INFINITY);
    const startOf = new Int32Array(units + 1).fill(-1);
    const latestEnd = units - (stages - 1 - stage);
    for (let start = stage; start < latestEnd; start++) {
      if (slowest[start] === Number.POSITIVE_INFINITY) continue;
      const end = Math.min(latestEnd, reach(chain, start, budgetBytes));
      for (let at = start + 1; at <= end; at++) {
        const time = Math.max(slowest[start]!, chain.cost(start, at) / speed);
        if (time < next[at]!) {
          next[at] = time;
          startOf[at] = start;
        }
      }
    }
    slowest = next;
    starts.push(startOf);
  }
  if (slowest[units] === Number.POSITIVE_INFINITY) return undefined;
  const ranges: UnitRange[] = [];
  for (let stage = stages - 1, end = units; stage >= 0; stage--) {
    const start = starts[stage]![end]!;
    ranges.unshift({ start, end });
    end = start;
  }
  return ranges;
}
