import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../sampler/random.ts';
import { type Plan, type PlanInput, type PlanNode, plan, splitEvenly } from './plan.ts';

const uniform = (seed: number) => {
  const next = seededRandom(seed);
  return () => next() / 2 ** 32;
};
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
const planOrUndefined = (input: PlanInput): Plan | undefined => {
  try {
    return plan(input);
  } catch (error) {
    expect(error).toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    return undefined;
  }
};

/** Every way to cut `units` into `stages` runs, none empty. */
function* cuts(units: number, stages: number, start = 0): Generator<[number, number][]> {
  if (stages === 1) {
    yield [[start, units]];
    return;
  }
  for (let end = start + 1; end <= units - stages + 1; end++) {
    for (const rest of cuts(units, stages - 1, end)) yield [[start, end], ...rest];
  }
}

function* orders<T>(items: T[], count: number): Generator<T[]> {
  if (count === 0) yield [];
  else
    for (const item of items)
      for (const rest of orders(
        items.filter((other) => other !== item),
        count - 1,
      ))
        yield [item, ...rest];
}

/** The slowest stage of the best cut for the nodes in this order; undefined where none fits. */
function bruteForce({ unitCosts, unitBytes }: PlanInput, order: PlanNode[]): number | undefined {
  const times = [...cuts(unitCosts.length, order.length)]
    .filter((cut) => cut.every(([start, end], i) => sum(unitBytes.slice(start, end)) <= order[i]!.budgetBytes))
    .map((cut) => Math.max(...cut.map(([start, end], i) => sum(unitCosts.slice(start, end)) / order[i]!.speed)));
  return times.length === 0 ? undefined : Math.min(...times);
}

const anyInput = (maxUnits: number, maxNodes: number) =>
  fc.record({
    units: fc.array(fc.record({ cost: fc.integer({ min: 1, max: 20 }), bytes: fc.integer({ min: 1, max: 10 }) }), {
      minLength: 1,
      maxLength: maxUnits,
    }),
    nodes: fc.array(
      fc.record({ speed: fc.integer({ min: 1, max: 9 }), budgetBytes: fc.integer({ min: 0, max: 40 }) }),
      {
        minLength: 1,
        maxLength: maxNodes,
      },
    ),
    seed: fc.nat(),
  });
type Sample = ReturnType<typeof anyInput> extends fc.Arbitrary<infer T> ? T : never;
const inputOf = ({ units, nodes, seed }: Sample): PlanInput => ({
  unitCosts: units.map((unit) => unit.cost),
  unitBytes: units.map((unit) => unit.bytes),
  nodes: nodes.map((node, i) => ({ id: `n${i}`, ...node })),
  random: uniform(seed),
});

describe('plan', () => {
  it('places every unit once, in order, within budgets, and names every node once', () => {
    fc.assert(
      fc.property(anyInput(24, 12), (sample) => {
        const input = inputOf(sample);
        const result = planOrUndefined(input);
        if (result === undefined) return;
        let at = 0;
        for (const { node, start, end } of result.stages) {
          expect(start).toBe(at);
          expect(end).toBeGreaterThan(start);
          const budget = input.nodes.find(({ id }) => id === node)!.budgetBytes;
          expect(sum(input.unitBytes.slice(start, end))).toBeLessThanOrEqual(budget);
          at = end;
        }
        expect(at).toBe(input.unitCosts.length);
        const named = [...result.stages.map(({ node }) => node), ...result.spare];
        expect(named.sort()).toEqual(input.nodes.map(({ id }) => id).sort());
      }),
      { numRuns: 500 },
    );
  });

  it('finds the fewest stages that any choice and order of nodes allows, cut as well as theirs can be', () => {
    fc.assert(
      fc.property(anyInput(6, 4), (sample) => {
        const input = inputOf(sample);
        const result = planOrUndefined(input);
        const counts = Array.from({ length: Math.min(input.nodes.length, input.unitCosts.length) }, (_, i) => i + 1);
        const fewest = counts.find((count) =>
          [...orders(input.nodes, count)].some((order) => bruteForce(input, order) !== undefined),
        );
        expect(result?.stages.length).toBe(fewest);
        if (result === undefined) return;
        const order = result.stages.map(({ node }) => input.nodes.find(({ id }) => id === node)!);
        const slowest = result.stages.map(
          ({ start, end }, i) => sum(input.unitCosts.slice(start, end)) / order[i]!.speed,
        );
        expect(Math.max(...slowest)).toBeCloseTo(bruteForce(input, order)!, 9);
      }),
      { numRuns: 400 },
    );
  });

  const four = [1, 2, 3, 4].map((i) => ({ id: `n${i}`, speed: 10, budgetBytes: 1000 }));
  const twelve = { unitCosts: new Array(12).fill(5), unitBytes: new Array(12).fill(10) };

  it('uses one node where one is enough, and exactly as many as it is told', () => {
    expect(plan({ ...twelve, nodes: four, random: uniform(1) }).stages).toHaveLength(1);
    const result = plan({ ...twelve, nodes: four, stages: 4, random: uniform(1) });
    expect(result.stages.map(({ start, end }) => end - start)).toEqual([3, 3, 3, 3]);
    expect(result.spare).toEqual([]);
    expect(plan({ ...twelve, nodes: four, stages: 3, random: uniform(1) }).spare).toHaveLength(1);
  });

  it('gives a faster node more', () => {
    const nodes = [
      { id: 'slow', speed: 1, budgetBytes: 1000 },
      { id: 'fast', speed: 5, budgetBytes: 1000 },
    ];
    const { stages } = plan({ ...twelve, nodes, stages: 2, random: uniform(1) });
    const units = Object.fromEntries(stages.map(({ node, start, end }) => [node, end - start]));
    expect(units).toEqual({ slow: 2, fast: 10 });
  });

  it('draws every node and every place equally often', () => {
    const random = uniform(7);
    const counts = new Map<string, number>();
    for (let i = 0; i < 3000; i++) {
      plan({ ...twelve, nodes: four, stages: 2, random }).stages.forEach(({ node }, place) => {
        counts.set(`${node}@${place}`, (counts.get(`${node}@${place}`) ?? 0) + 1);
      });
    }
    expect(counts.size).toBe(8);
    for (const count of counts.values()) expect(Math.abs(count / 3000 - 0.25)).toBeLessThan(0.04);
  });

  it('puts a large head where it fits', () => {
    const nodes = [...Array(9).keys()].map((i) => ({ id: `n${i}`, speed: 1, budgetBytes: i === 4 ? 100 : 30 }));
    const unitBytes = [...new Array(24).fill(10), 95];
    const result = plan({ unitCosts: unitBytes, unitBytes, nodes, stages: 9, random: uniform(3) });
    expect(result.stages.at(-1)).toEqual({ node: 'n4', start: 24, end: 25 });
  });

  it('plans 208 units on 512 nodes, one unit a node or as few as fit', () => {
    const random = uniform(5);
    const unitBytes = Array.from({ length: 208 }, () => 50 + Math.floor(random() * 50));
    const nodes = Array.from({ length: 512 }, (_, i) => ({
      id: `n${i}`,
      speed: 1 + random() * 99,
      budgetBytes: 100 + Math.floor(random() * 900),
    }));
    expect(plan({ unitCosts: unitBytes, unitBytes, nodes, stages: 208, random }).stages).toHaveLength(208);
    const few = plan({ unitCosts: unitBytes, unitBytes, nodes, random });
    const bound = Math.ceil(sum(unitBytes) / 1000);
    expect(few.stages.length).toBeGreaterThanOrEqual(bound);
    expect(few.stages.length).toBeLessThanOrEqual(bound + 2);
    expect(few.spare).toHaveLength(512 - few.stages.length);
  });
});

describe('what cannot be planned', () => {
  const unitCosts = [1, 1, 1];
  const node = (budgetBytes: number, speed = 1) => ({ id: `b${budgetBytes}`, speed, budgetBytes });
  it.each<[string, Partial<PlanInput> & { unitBytes: number[]; nodes: PlanNode[] }, RegExp]>([
    ['no nodes', { unitBytes: [1, 1, 1], nodes: [] }, /takes 1 nodes/],
    ['a node without speed', { unitBytes: [1, 1, 1], nodes: [node(10, 0)] }, /only 0 can hold/],
    ['too few nodes', { unitBytes: [1, 1, 1], nodes: [node(10)], stages: 2 }, /takes 2 nodes, but only 1/],
    ['more stages than units', { unitBytes: [1, 1, 1], nodes: [node(10)], stages: 4 }, /3 units has no 4 parts/],
    ['no stages', { unitBytes: [1, 1, 1], nodes: [node(10)], stages: 0 }, /no 0 parts/],
    ['half a stage', { unitBytes: [1, 1, 1], nodes: [node(10)], stages: 1.5 }, /no 1.5 parts/],
    ['a unit that nobody can hold', { unitBytes: [1, 99, 1], nodes: [node(60), node(50)] }, /largest unit needs 99/],
    ['too little memory in all', { unitBytes: [6, 6, 6], nodes: [node(8), node(9)] }, /all nodes together offer 17/],
    ['pieces that do not fit the gaps', { unitBytes: [6, 6, 6], nodes: [node(9), node(10)] }, /no split into any/],
  ])('%s', (_, input, reason) => {
    const run = () => plan({ unitCosts, random: uniform(1), ...input });
    expect(run).toThrow(expect.objectContaining({ code: 'PLAN_IMPOSSIBLE' }));
    expect(run).toThrow(reason);
  });
});

describe('splitEvenly', () => {
  it('balances the costs', () => {
    expect(splitEvenly([4, 1, 1, 1, 1, 4], 3)).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 5 },
      { start: 5, end: 6 },
    ]);
    expect(splitEvenly([1, 2], 1)).toEqual([{ start: 0, end: 2 }]);
  });

  it.each([0, 4, 1.5, -1])('refuses %d parts of 3 units', (stages) => {
    expect(() => splitEvenly([1, 1, 1], stages)).toThrow(expect.objectContaining({ code: 'PLAN_IMPOSSIBLE' }));
  });
});
