/** Whether budgets alone can hold a chain of units, whatever the speeds. */
import { type Chain, type Holder, reach } from './partition.ts';

/** Nodes up to which every order is considered: 2^n · n steps. */
const EXACT_NODES = 14;

/** Each holder in turn takes as much as fits: no split in this order covers more. */
export function coversAll(chain: Chain, holders: Holder[]): boolean {
  let covered = 0;
  for (const { budgetBytes } of holders) covered = reach(chain, covered, budgetBytes);
  return covered === chain.units;
}

/**
 * An order of `count` of the nodes that covers the chain, found by looking at every subset (dynamic programming over
 * subsets: which node goes last). Undefined where there is none, or where the nodes are too many to look at all.
 */
export function coveringOrder<H extends Holder>(chain: Chain, nodes: H[], count: number): H[] | undefined {
  if (nodes.length > EXACT_NODES) return undefined;
  const covered = new Int32Array(2 ** nodes.length);
  const last = new Int8Array(2 ** nodes.length).fill(-1);
  for (let subset = 1; subset < covered.length; subset++) {
    nodes.forEach((node, i) => {
      if ((subset & (1 << i)) === 0) return;
      const end = reach(chain, covered[subset & ~(1 << i)]!, node.budgetBytes);
      if (last[subset] === -1 || end > covered[subset]!) {
        covered[subset] = end;
        last[subset] = i;
      }
    });
    if (covered[subset] === chain.units && bits(subset) === count) return orderOf(subset, last, nodes);
  }
  return undefined;
}

function orderOf<H>(subset: number, last: Int8Array, nodes: H[]): H[] {
  const order: H[] = [];
  for (let left = subset; left !== 0; left &= ~(1 << last[left]!)) order.unshift(nodes[last[left]!]!);
  return order;
}

function bits(subset: number): number {
  let count = 0;
  for (let left = subset; left !== 0; left &= left - 1) count++;
  return count;
}
