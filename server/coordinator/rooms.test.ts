import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_SHARERS } from '../../shared/protocol/limits.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import { BAN_MS, STALL_BAN_MS } from './limits.ts';
import type { Pool, PoolEffect } from './pool.ts';
import { type Context, type Offer, type Placement, phase, type RoomSpec } from './room.ts';
import { createPool, nextTickMs, type PoolEvent, step } from './rooms.ts';

const UNIT_BYTES = 10;
const UNITS = 12;

/** As few stages as fit, the largest nodes first; an exact count spreads the units evenly over the first. */
const planSimply: RoomSpec['plan'] = (range, candidates, _random, stages) => {
  const placements: Placement[] = [];
  let { start } = range;
  const largestFirst = candidates.toSorted((a, b) => b.offer.budgetBytes - a.offer.budgetBytes);
  for (const { node, offer } of stages === undefined ? largestFirst : candidates) {
    if (start === range.end) break;
    const left = stages === undefined ? 1 : stages - placements.length;
    const share = stages === undefined ? range.end - start : Math.ceil((range.end - start) / left);
    const units = Math.min(share, Math.floor(offer.budgetBytes / UNIT_BYTES));
    if (units === 0 || left === 0) continue;
    placements.push({ node, range: { start, end: start + units } });
    start += units;
  }
  const complete = start === range.end && (stages === undefined || placements.length === stages);
  return complete ? placements : undefined;
};

const spec = (model: string, stages?: number): RoomSpec => ({
  model,
  name: model,
  manifestHash: '00'.repeat(32),
  quant: 'f32',
  chat: false,
  contextLength: 512,
  maxSequences: 2,
  vocabSize: 100,
  eosTokens: [99],
  units: UNITS,
  ...(stages !== undefined && { stages }),
  budgetOf: ({ budgetBytes }) => budgetBytes,
  memoryBytes: ({ start, end }) => UNIT_BYTES * (end - start),
  plan: planSimply,
});

const offer = (units: number, want?: Offer['want']): Offer => ({
  engine: 'node',
  budgetBytes: UNIT_BYTES * units,
  matmulGflops: 10,
  ...(want && { want }),
});

/** Runs a pool by hand: remembers what was told, lets a test say which assignments have jobs. */
function driver(specs: RoomSpec[], seed = 1) {
  let ids = 0;
  let state = seed;
  const inUse = new Set<string>();
  const context: Context = {
    nowMs: 0,
    random: () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647;
    },
    newId: () => `assignment-${ids++}`,
    inUse,
  };
  const self = {
    pool: createPool(specs) as Pool,
    effects: [] as PoolEffect[],
    context,
    inUse,
    send(event: PoolEvent) {
      const before = structuredClone([...self.pool.rooms.values()].map(({ stages, draining }) => [stages, draining]));
      const previous = self.pool;
      const next = step(self.pool, event, { ...context });
      const after = [...previous.rooms.values()].map(({ stages, draining }) => [stages, draining]);
      expect(after, 'a step must not change the state it was given').toEqual(before);
      self.pool = next.pool;
      self.effects = next.effects;
      return next.effects;
    },
    room: (model = 'm') => self.pool.rooms.get(model)!,
    holders: (model = 'm') => self.room(model).stages.map(({ holders }) => holders[0]?.node),
    sent: (type: string) => self.effects.flatMap((e) => (e.kind === 'send' && e.type === type ? [e] : [])),
    readyAll(model = 'm') {
      for (const { node, assignment } of self.room(model).stages.flatMap(({ holders }) => holders)) {
        self.send({ kind: 'stageReady', node, assignment });
      }
    },
  };
  return self;
}

describe('a room', () => {
  test('with an exact count forms when so many nodes are there, then loads, then is ready', () => {
    const it = driver([spec('m', 3)]);
    for (const node of ['a', 'b']) expect(it.send({ kind: 'offer', node, offer: offer(12) })).toEqual([]);
    expect(phase(it.room())).toBe('forming');
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    expect(it.sent('assign').map(({ body }) => body)).toMatchObject([
      { model: 'm', start: 0, end: 4, stage: 0, stages: 3, contextLength: 512, maxSequences: 2 },
      { model: 'm', start: 4, end: 8, stage: 1, stages: 3 },
      { model: 'm', start: 8, end: 12, stage: 2, stages: 3 },
    ]);
    expect(phase(it.room())).toBe('loading');
    it.readyAll();
    expect(phase(it.room())).toBe('ready');
  });

  test('spreads at random: over many rooms every node gets every place', () => {
    const seen = new Set<string>();
    for (let seed = 1; seed < 60; seed++) {
      const it = driver([spec('m', 3)], seed);
      for (const node of ['a', 'b', 'c']) it.send({ kind: 'offer', node, offer: offer(12) });
      it.holders().forEach((node, stage) => void seen.add(`${node}${stage}`));
    }
    expect(seen.size).toBe(9);
  });

  test('without a count takes as few as fit, and shrinks when idle but never under a running job', () => {
    const it = driver([spec('m')]);
    it.send({ kind: 'offer', node: 'a', offer: offer(6) });
    it.send({ kind: 'offer', node: 'b', offer: offer(6) });
    it.readyAll();
    expect(it.room().stages).toHaveLength(2);
    for (const { holders } of it.room().stages) it.inUse.add(holders[0]!.assignment);
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    expect(it.sent('unassign')).toEqual([]);
    it.inUse.clear();
    it.send({ kind: 'tick' });
    expect(it.holders()).toEqual(['c']);
    expect(
      it
        .sent('unassign')
        .map(({ to }) => to)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
  });

  test('gives a lost stage to a node that only stands by, and leaves the others alone', () => {
    const it = driver([spec('m', 2)]);
    for (const node of ['a', 'b', 'c']) it.send({ kind: 'offer', node, offer: offer(12) });
    it.readyAll();
    const second = it.room().stages[1];
    const first = it.room().stages[0]!.holders[0];
    const waiting = ['a', 'b', 'c'].find((node) => !it.holders().includes(node));
    it.send({ kind: 'gone', node: second!.holders[0]!.node });
    expect(it.effects[0]).toEqual({ kind: 'lost', assignment: second!.holders[0]!.assignment });
    expect(it.sent('assign')).toMatchObject([{ to: waiting, body: { start: 6, end: 12, stage: 1 } }]);
    expect(it.room().stages[0]!.holders).toEqual([first]);
  });

  test('goes back to forming when nobody can take the lost stage, and keeps what is loaded', () => {
    const it = driver([spec('m', 2)]);
    for (const node of ['a', 'b']) it.send({ kind: 'offer', node, offer: offer(12) });
    it.readyAll();
    const kept = it.room().stages[0]!.holders[0]!;
    it.send({ kind: 'gone', node: it.holders()[1]! });
    expect(phase(it.room())).toBe('forming');
    it.send({ kind: 'offer', node: 'c', offer: offer(6) });
    expect(it.holders()).toEqual([kept.node, 'c']);
    expect(it.room().stages[0]!.holders[0]!.ready).toBe(true);
  });

  test('does not ask a failing node again for 15 s, then 30 s', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12) });
    for (const banMs of [BAN_MS, 2 * BAN_MS]) {
      const { assignment } = it.room().stages[0]!.holders[0]!;
      it.send({ kind: 'stageFailed', node: 'a', assignment });
      expect(it.sent('assign')).toEqual([]);
      const dueMs = nextTickMs(it.pool, it.context.nowMs);
      expect(dueMs - it.context.nowMs).toBe(banMs);
      it.context.nowMs = dueMs - 1;
      expect(it.send({ kind: 'tick' })).toEqual([]);
      it.context.nowMs = dueMs;
      it.send({ kind: 'tick' });
      expect(it.sent('assign')).toMatchObject([{ to: 'a' }]);
    }
  });

  test('does not ask a node that is set aside as long as is said', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12) });
    it.send({ kind: 'setAside', node: 'a', forGood: false, banMs: STALL_BAN_MS });
    expect(it.sent('unassign')).toMatchObject([{ to: 'a' }]);
    expect(nextTickMs(it.pool, it.context.nowMs) - it.context.nowMs).toBe(STALL_BAN_MS);
  });

  test('does not fill the place of a failed node with the same node, and leaves the others alone', () => {
    const it = driver([spec('m', 2)]);
    for (const node of ['a', 'b']) it.send({ kind: 'offer', node, offer: offer(12) });
    const { node, assignment } = it.room().stages[1]!.holders[0]!;
    const kept = it.holders()[0];
    it.send({ kind: 'stageFailed', node, assignment });
    expect(it.sent('assign')).toEqual([]);
    expect(it.holders()).toEqual([kept, undefined]);
    it.context.nowMs = BAN_MS;
    it.send({ kind: 'tick' });
    expect(it.holders()).toEqual([kept, node]);
  });

  test('plans anew, rather than fill an old plan, when nobody is left of it', () => {
    const it = driver([spec('m')]);
    for (const node of ['a', 'b']) it.send({ kind: 'offer', node, offer: offer(6) });
    expect(it.room().stages).toHaveLength(2);
    for (const node of ['a', 'b']) it.send({ kind: 'gone', node });
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    expect(it.effects).toMatchObject([{ to: 'c', type: 'assign', body: { start: 0, end: 12, stages: 1 } }]);
  });

  test('gives a node that never finishes loading up', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'slow', offer: offer(12) });
    it.send({ kind: 'offer', node: 'other', offer: offer(12) });
    const [chosen, other] = it.room().stages[0]!.holders;
    it.send({ kind: 'stageReady', ...other! });
    it.context.nowMs = nextTickMs(it.pool, 0);
    it.send({ kind: 'tick' });
    expect(it.sent('unassign')).toMatchObject([{ to: chosen!.node }]);
    expect(it.holders()).toEqual([other!.node]);
  });

  test('does not forget a deadline over what else happens at that moment', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'slow', offer: offer(12) });
    it.context.nowMs = nextTickMs(it.pool, 0);
    it.send({ kind: 'offer', node: 'other', offer: offer(12) });
    expect(it.holders()).toEqual(['other']);
  });

  test('lets a leaving node finish its jobs, gives the stage to another meanwhile', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12) });
    it.readyAll();
    const { assignment } = it.room().stages[0]!.holders[0]!;
    it.inUse.add(assignment);
    it.send({ kind: 'offer', node: 'b', offer: offer(12) });
    it.send({ kind: 'withdraw', node: 'a' });
    expect(it.sent('unassign')).toEqual([]);
    expect(it.holders()).toEqual(['b']);
    it.inUse.clear();
    it.send({ kind: 'tick' });
    expect(it.sent('unassign')).toMatchObject([{ to: 'a', body: { assignment } }]);
    expect(it.pool.nodes.has('a')).toBe(false);
  });

  test('ignores what others say about an assignment', () => {
    const it = driver([spec('m', 1)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12) });
    const { assignment } = it.room().stages[0]!.holders[0]!;
    it.send({ kind: 'stageReady', node: 'b', assignment });
    it.send({ kind: 'stageFailed', node: 'b', assignment });
    expect(it.room().stages[0]!.holders[0]).toMatchObject({ node: 'a', ready: false });
  });
});

describe('nodes beyond the plan', () => {
  /** Stages of 6, 4 and 2 units. */
  const uneven = () => {
    const it = driver([spec('m', 3)]);
    for (const [node, start, end] of [
      ['a', 0, 6],
      ['b', 6, 10],
      ['c', 10, 12],
    ] as const) {
      it.send({ kind: 'offer', node, offer: offer(end - start, { model: 'm', start, end }) });
    }
    it.readyAll();
    return it;
  };
  const standing = (it: ReturnType<typeof driver>, model = 'm') =>
    it.room(model).stages.map(({ holders }) => holders.map(({ node }) => node));

  test('stand by where the fewest hold a stage, of those the largest, as far as they can', () => {
    const it = uneven();
    expect(standing(it)).toEqual([['a'], ['b'], ['c']]);
    for (const [node, units] of [
      ['d', 11],
      ['e', 11],
      ['f', 3],
      ['g', 1],
      ['h', 5],
    ] as const) {
      it.send({ kind: 'offer', node, offer: offer(units) });
    }
    expect(standing(it)).toEqual([
      ['a', 'd'],
      ['b', 'e', 'h'],
      ['c', 'f'],
    ]);
  });

  test('take over, so that the room stays ready, and another stands by', () => {
    const it = uneven();
    for (const node of ['d', 'e', 'f']) it.send({ kind: 'offer', node, offer: offer(11) });
    it.readyAll();
    expect(standing(it)).toEqual([
      ['a', 'd'],
      ['b', 'e'],
      ['c', 'f'],
    ]);
    it.send({ kind: 'offer', node: 'g', offer: offer(11) });
    it.send({ kind: 'gone', node: 'b' });
    expect(phase(it.room())).toBe('ready');
    expect(it.effects).toMatchObject([{ kind: 'lost' }]);
    it.send({ kind: 'gone', node: 'g' });
    it.send({ kind: 'offer', node: 'h', offer: offer(11) });
    expect(standing(it)).toEqual([
      ['a', 'd'],
      ['e', 'h'],
      ['c', 'f'],
    ]);
  });

  test('are told who holds their stage already, where both can be linked directly', () => {
    const it = driver([spec('m', 1)]);
    const join = (node: string, direct: boolean) => {
      it.send({ kind: 'offer', node, offer: { ...offer(12), ...(direct && { direct }) } });
      const [assigned] = it.sent('assign');
      return (assigned!.body as FromCoordinator['assign']).sharers;
    };
    expect(join('a', true)).toBeUndefined();
    expect(join('b', true), 'a is still loading').toBeUndefined();
    it.readyAll();
    expect(join('c', false)).toBeUndefined();
    it.readyAll();
    it.send({ kind: 'away', node: 'a', sinceMs: 0 });
    expect(join('d', true), 'a is away, and c has no direct links').toEqual(['b']);
    it.send({ kind: 'back', node: 'a' });
    for (const node of ['e', 'f', 'g']) join(node, true);
    it.readyAll();
    expect(join('h', true)).toHaveLength(MAX_SHARERS);
  });

  test('give way to a room that can be formed with them, unless they are in a job', () => {
    const it = driver([spec('m', 1), spec('n', 3)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12) });
    it.readyAll();
    for (const node of ['b', 'c']) it.send({ kind: 'offer', node, offer: offer(12) });
    it.readyAll();
    expect(standing(it)).toEqual([['a', 'b', 'c']]);
    for (const { assignment } of it.room().stages[0]!.holders.slice(1)) it.inUse.add(assignment);
    it.send({ kind: 'offer', node: 'd', offer: offer(12) });
    expect(phase(it.room('n'))).toBe('forming');
    it.inUse.clear();
    it.send({ kind: 'tick' });
    expect(standing(it)).toEqual([['a']]);
    expect(
      it
        .sent('assign')
        .map(({ to, body }) => ('model' in body ? `${body.model}: ${to}` : ''))
        .sort(),
    ).toEqual(['n: b', 'n: c', 'n: d']);
  });

  test('are those without a job, where one of the others has one', () => {
    const it = driver([spec('m', 1), spec('n', 3)]);
    for (const node of ['a', 'b', 'c']) it.send({ kind: 'offer', node, offer: offer(12) });
    it.readyAll();
    it.inUse.add(it.room().stages[0]!.holders[1]!.assignment);
    it.send({ kind: 'offer', node: 'd', offer: offer(12) });
    expect(standing(it)).toEqual([['b']]);
    expect(phase(it.room('n'))).toBe('loading');
  });

  test('are asked for nothing while they are away, and are not what a stage relies on', () => {
    const it = driver([spec('m', 1), spec('n', 1)]);
    for (const node of ['a', 'b']) it.send({ kind: 'offer', node, offer: offer(12) });
    it.readyAll();
    it.readyAll('n');
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    it.readyAll();
    expect(standing(it)).toEqual([['a', 'c']]);
    it.send({ kind: 'away', node: 'a', sinceMs: 5 });
    expect(it.pool.nodes.get('a')).toMatchObject({ awaySinceMs: 5 });
    it.send({ kind: 'gone', node: 'b' });
    expect(it.sent('assign'), 'c is the one that is here for m, and a is not here').toEqual([]);
    it.send({ kind: 'back', node: 'a' });
    expect(it.sent('assign')).toMatchObject([{ to: 'c', body: { model: 'n' } }]);
    expect(standing(it)).toEqual([['a']]);
  });

  test('are not sent to and fro between stages whose holders are away', () => {
    const it = uneven();
    it.send({ kind: 'offer', node: 'd', offer: offer(11) });
    for (const node of ['a', 'b', 'c']) it.send({ kind: 'away', node, sinceMs: 0 });
    expect(standing(it)).toEqual([['a', 'd'], ['b'], ['c']]);
    it.readyAll();
    expect(it.effects).toEqual([]);
  });

  test('hold what only somebody holds who is away', () => {
    const it = uneven();
    it.send({ kind: 'offer', node: 'd', offer: offer(11) });
    expect(standing(it)).toEqual([['a', 'd'], ['b'], ['c']]);
    it.send({ kind: 'away', node: 'b', sinceMs: 0 });
    expect(it.sent('unassign')).toMatchObject([{ to: 'd' }]);
    expect(standing(it)).toEqual([['a'], ['b', 'd'], ['c']]);
    it.send({ kind: 'offer', node: 'e', offer: offer(11) });
    expect(standing(it), 'each stage has one that is here').toEqual([['a', 'e'], ['b', 'd'], ['c']]);
  });
});

describe('a node that wants one stage in particular', () => {
  const want = { model: 'm', start: 2, end: 5 };

  test('gets it, and the rest is planned around it', () => {
    const it = driver([spec('m', 3)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(3, want) });
    it.send({ kind: 'offer', node: 'b', offer: offer(12) });
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    expect(it.room().stages.map(({ range }) => range)).toEqual([
      { start: 0, end: 2 },
      { start: 2, end: 5 },
      { start: 5, end: 12 },
    ]);
    expect(it.holders()[1]).toBe('a');
  });

  test('waits when another got a stage that overlaps', () => {
    const it = driver([spec('m', 3)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(3, want) });
    it.send({ kind: 'offer', node: 'a2', offer: offer(4, { ...want, end: 6 }) });
    it.send({ kind: 'offer', node: 'b', offer: offer(12) });
    it.send({ kind: 'offer', node: 'c', offer: offer(12) });
    expect(phase(it.room())).toBe('loading');
    expect(it.holders().filter((node) => node === 'a' || node === 'a2')).toHaveLength(1);
  });

  test('is never given another', () => {
    const it = driver([spec('m', 1), spec('n', 1)]);
    it.send({ kind: 'offer', node: 'a', offer: offer(12, { ...want, start: 0 }) });
    expect(it.effects).toEqual([]);
  });

  test.each([
    ['more than its memory', offer(2, want), 'STAGE_TOO_LARGE'],
    ['nothing', offer(12, { ...want, end: 2 }), 'STAGE_RANGE_INVALID'],
    ['past the end', offer(12, { ...want, end: UNITS + 1 }), 'STAGE_RANGE_INVALID'],
    ['a model that is not served', offer(12, { ...want, model: 'x' }), 'MODEL_UNKNOWN'],
  ])('is refused %s', (_, wanted, code) => {
    const it = driver([spec('m')]);
    it.send({ kind: 'offer', node: 'a', offer: wanted });
    expect(it.effects).toMatchObject([{ to: 'a', type: 'refused', body: { about: 'offer', error: { code } } }]);
    expect(it.pool.nodes.size).toBe(0);
  });
});

describe('any order of events', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e'];
  const node = fc.constantFrom(...nodes);
  const wants = fc.constantFrom(
    undefined,
    undefined,
    undefined,
    { model: 'm', start: 0, end: 4 },
    { model: 'n', start: 5, end: 6 },
  );
  const event = fc.oneof(
    {
      arbitrary: fc.record({
        kind: fc.constant('offer' as const),
        node,
        units: fc.integer({ min: 2, max: 14 }),
        want: wants,
      }),
      weight: 4,
    },
    fc.record({ kind: fc.constant('withdraw' as const), node }),
    fc.record({ kind: fc.constantFrom('gone' as const, 'back' as const), node }),
    fc.record({ kind: fc.constant('away' as const), node, sinceMs: fc.constant(0) }),
    fc.record({ kind: fc.constantFrom('stageReady' as const, 'stageFailed' as const), node }),
    fc.record({ kind: fc.constant('tick' as const), ms: fc.integer({ min: 0, max: 200_000 }) }),
    fc.record({ kind: fc.constant('jobs' as const), model: fc.constantFrom('m', 'n'), on: fc.boolean() }),
  );

  test('keeps one stage per node, within its budget, and tells each node exactly what it holds', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 20, maxLength: 80, size: 'max' }),
        fc.integer({ min: 1, max: 1000 }),
        (events, seed) => {
          const it = driver([spec('m', 3), spec('n')], seed);
          const told = new Map<string, string[]>();
          const holderOf = (name: string) =>
            [...it.pool.rooms.values()].flatMap(({ stages, draining }) =>
              [...stages.flatMap(({ holders }) => holders), ...draining].filter((holder) => holder.node === name),
            );
          const run = (poolEvent: PoolEvent) => {
            if (poolEvent.kind === 'gone') told.delete(poolEvent.node);
            for (const effect of it.send(poolEvent)) {
              if (effect.kind === 'lost') it.inUse.delete(effect.assignment);
              else if (effect.type === 'assign') {
                told.set(effect.to, [...(told.get(effect.to) ?? []), effect.body.assignment]);
              } else if (effect.type === 'unassign') {
                const { assignment } = effect.body;
                expect(told.get(effect.to), 'only what was assigned is taken back').toContain(assignment);
                expect(poolEvent.kind === 'stageFailed' || !it.inUse.has(assignment), 'no job is cut off').toBe(true);
                told.set(
                  effect.to,
                  told.get(effect.to)!.filter((id) => id !== assignment),
                );
              }
            }
          };
          for (const each of events) {
            if (each.kind === 'jobs') {
              const room = it.room(each.model);
              for (const { holders } of room.stages) {
                if (each.on && phase(room) === 'ready') it.inUse.add(holders.find(({ ready }) => ready)!.assignment);
              }
              if (!each.on) it.inUse.clear();
            } else if (each.kind === 'tick') {
              it.context.nowMs += each.ms;
              run({ kind: 'tick' });
            } else if (each.kind === 'offer') {
              run({ kind: 'offer', node: each.node, offer: offer(each.units, each.want) });
            } else if (each.kind === 'stageReady' || each.kind === 'stageFailed') {
              for (const { assignment } of holderOf(each.node)) run({ kind: each.kind, node: each.node, assignment });
            } else if (each.kind === 'away') run(each);
            else run({ kind: each.kind, node: each.node });

            for (const name of nodes) {
              const held = holderOf(name);
              expect(held.length, 'one stage per node').toBeLessThanOrEqual(1);
              expect(told.get(name) ?? [], 'what it was told').toEqual(held.map(({ assignment }) => assignment));
            }
            for (const room of it.pool.rooms.values()) {
              let start = 0;
              for (const { range, holders } of room.stages) {
                expect(range.start).toBe(start);
                start = range.end;
                for (const { node } of holders) {
                  const known = it.pool.nodes.get(node);
                  expect(known?.leaving).toBe(false);
                  expect(UNIT_BYTES * (range.end - range.start)).toBeLessThanOrEqual(known!.offer.budgetBytes);
                }
              }
              if (room.stages.length > 0) expect(start).toBe(UNITS);
            }
          }
          // A luckier draw may form a room yet; but nobody is sent to and fro.
          const later = Array.from({ length: 20 }, () => it.send({ kind: 'tick' }));
          expect(later.filter((effects) => effects.length > 0).length).toBeLessThan(6);
        },
      ),
      { numRuns: 200 },
    );
  });
});
