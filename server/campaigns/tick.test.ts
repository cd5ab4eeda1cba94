import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_STALENESS } from '../../shared/train/campaign/limits.ts';
import type { CampaignEffect, CampaignEvent, CampaignState, Unit, Update } from './state.ts';
import { campaignOf } from './testing.ts';
import { created, isOpen, tick } from './tick.ts';

const WEIGHTS = '00'.repeat(32);
const update = (arrivedMs: number): Update => ({ hash: '11'.repeat(32), bytes: 100, norm: 1, values: 9, arrivedMs });
const good = (unit: string, gain = 0.1) => ({ unit, score: { lossBefore: 2, lossAfter: 2 - gain } });

/** Feeds events and keeps what came of them. */
class Run {
  state: CampaignState;
  readonly journal: { event: CampaignEvent; nowMs: number }[] = [];
  readonly effects: CampaignEffect[] = [];
  nowMs = 0;

  constructor(change: Parameters<typeof campaignOf>[0] = {}) {
    this.state = created({ kind: 'created', campaign: campaignOf(change), weights: WEIGHTS });
  }

  feed(event: CampaignEvent): CampaignEffect[] {
    this.journal.push({ event, nowMs: this.nowMs });
    const { state, effects } = tick(this.state, event, this.nowMs);
    this.state = state;
    this.effects.push(...effects);
    return effects;
  }

  join(...wallets: string[]) {
    for (const wallet of wallets) this.feed({ kind: 'joined', wallet });
  }

  unitOf(wallet: string): Unit {
    return [...this.state.units.values()].filter((unit) => unit.wallet === wallet).at(-1)!;
  }

  submit(wallet: string) {
    return this.feed({ kind: 'submitted', unit: this.unitOf(wallet).id, update: update(this.nowMs) });
  }

  /** Accepts everything that waits to be judged, and joins it. */
  finish() {
    const units = [...this.state.units.values()].filter(({ status }) => status === 'submitted');
    this.feed({ kind: 'judged', verdicts: units.map(({ id }) => good(id)) });
    return this.feed({ kind: 'aggregated', weights: `${this.state.round + 1}`.repeat(64), delta: 'd' });
  }
}

const kinds = (effects: CampaignEffect[]) => effects.map(({ kind }) => kind);

describe('a round', () => {
  test('begins when enough are there, and each gets a unit of its own shard', () => {
    const run = new Run();
    run.join('a');
    expect(run.state.phase).toBe('waiting');
    run.join('b', 'c');
    expect(run.state.phase).toBe('training');
    const units = run.effects.flatMap((effect) => (effect.kind === 'assign' ? [effect.unit] : []));
    expect(units.map(({ wallet, shard, round }) => [wallet, shard, round])).toEqual([
      ['a', 0, 0],
      ['b', 1, 0],
      ['c', 2, 0],
    ]);
    expect(new Set(units.map(({ id }) => id)).size).toBe(3);
    expect(new Set(units.map(({ seed }) => seed)).size).toBe(3);
  });

  test('ends at once when all have sent, and pays by rank after it was joined', () => {
    const run = new Run();
    run.join('a', 'b');
    run.submit('a');
    expect(kinds(run.submit('b'))).toEqual(['validate']);
    const [a, b] = [run.unitOf('a').id, run.unitOf('b').id];
    expect(kinds(run.feed({ kind: 'judged', verdicts: [good(a, 0.1), good(b, 0.3)] }))).toEqual(['aggregate']);
    const done = run.feed({ kind: 'aggregated', weights: 'w', delta: 'd' });
    const paid = done.flatMap((effect) => (effect.kind === 'pay' ? [effect.unit] : []));
    expect(paid.map(({ wallet, score }) => [wallet, score?.rank, score?.ranked])).toEqual([
      ['a', 2, 2],
      ['b', 1, 2],
    ]);
    // The next one begins with new units that start from the new weights.
    expect(run.state).toMatchObject({ round: 1, phase: 'training', weights: 'w' });
    expect(run.unitOf('a')).toMatchObject({ round: 1, start: 'w', status: 'assigned' });
  });

  test('waits for the others no longer than the grace after the quorum', () => {
    const run = new Run();
    run.join('a', 'b', 'c');
    run.submit('a');
    run.submit('b');
    run.nowMs = 999;
    expect(run.feed({ kind: 'tick' })).toEqual([]);
    run.nowMs = 1000;
    expect(kinds(run.feed({ kind: 'tick' }))).toEqual(['validate']);
    expect(run.unitOf('c').status).toBe('expired');
  });

  test('that nobody sends anything in begins anew, with other units', () => {
    const run = new Run();
    run.join('a', 'b');
    const before = run.unitOf('a').id;
    run.nowMs = 60_000;
    run.feed({ kind: 'tick' });
    expect(run.state).toMatchObject({ phase: 'training', round: 0, attempt: 2 });
    expect(run.unitOf('a').id).not.toBe(before);
  });

  test('goes on without who was refused, and says why', () => {
    const run = new Run();
    run.join('a', 'b');
    run.submit('a');
    run.submit('b');
    const [a, b] = [run.unitOf('a').id, run.unitOf('b').id];
    const effects = run.feed({ kind: 'judged', verdicts: [good(a), { unit: b, reason: 'it makes the model worse' }] });
    expect(effects).toMatchObject([
      { kind: 'refuse', unit: { wallet: 'b', reason: 'it makes the model worse' } },
      { kind: 'aggregate', units: [{ unit: { wallet: 'a' }, staleness: 0 }] },
    ]);
    const done = run.feed({ kind: 'aggregated', weights: 'w', delta: 'd' });
    expect(done.flatMap((effect) => (effect.kind === 'pay' ? [effect.unit.wallet] : []))).toEqual(['a']);
  });

  test('remembers of each wallet whether it learned', () => {
    const run = new Run();
    run.join('a', 'b');
    run.submit('a');
    run.submit('b');
    const [a, b] = [run.unitOf('a').id, run.unitOf('b').id];
    const diligence = { learned: 1, expected: 1 };
    run.feed({
      kind: 'judged',
      verdicts: [
        { ...good(a), diligence },
        { unit: b, reason: 'it is a copy' },
      ],
    });
    expect([...run.state.diligence]).toEqual([['a', diligence]]);
  });

  test('takes a late update in a later one, for less, and none that is too late', () => {
    const run = new Run({ rounds: 9 });
    run.join('a', 'b', 'c');
    const late = run.unitOf('c');
    for (const wallet of ['a', 'b']) run.submit(wallet);
    run.nowMs = 1000;
    run.feed({ kind: 'tick' });
    run.finish();
    run.feed({ kind: 'submitted', unit: late.id, update: update(run.nowMs) });
    for (const wallet of ['a', 'b', 'c']) run.submit(wallet);
    const units = [...run.state.units.values()].filter(({ status }) => status === 'submitted');
    expect(units).toHaveLength(4);
    const joined = run.feed({ kind: 'judged', verdicts: units.map(({ id }) => good(id)) });
    expect(joined.find(({ kind }) => kind === 'aggregate')).toMatchObject({
      units: [{ unit: { id: late.id }, staleness: 1 }, { staleness: 0 }, { staleness: 0 }, { staleness: 0 }],
    });
  });

  test('asks for what was under way again after a restart, and gives who returns the unit he had', () => {
    const run = new Run();
    run.join('a', 'b');
    const unit = run.unitOf('b');
    run.submit('a');
    run.nowMs = 30_000;
    run.feed({ kind: 'restarted' });
    expect(run.state).toMatchObject({ phase: 'training', endsMs: 31_000 });
    expect(run.feed({ kind: 'joined', wallet: 'b' })).toEqual([{ kind: 'assign', unit }]);
    expect(run.feed({ kind: 'joined', wallet: 'a' })).toEqual([]);
    expect(kinds(run.submit('b'))).toEqual(['validate']);
    expect(kinds(run.feed({ kind: 'restarted' }))).toEqual(['validate']);
    const verdicts = [good(run.unitOf('a').id), good(run.unitOf('b').id)];
    run.feed({ kind: 'judged', verdicts });
    expect(kinds(run.feed({ kind: 'restarted' }))).toEqual(['aggregate']);
    run.feed({ kind: 'aggregated', weights: 'w', delta: 'd' });
    expect(kinds(run.feed({ kind: 'restarted' }))).toEqual(['pay', 'pay']);
  });

  test('of a paused campaign is finished, and no other begins', () => {
    const run = new Run();
    run.join('a', 'b');
    run.feed({ kind: 'paused', paused: true });
    run.submit('a');
    run.submit('b');
    run.finish();
    expect(run.state).toMatchObject({ round: 1, phase: 'waiting' });
    run.feed({ kind: 'paused', paused: false });
    expect(run.state.phase).toBe('training');
  });
});

test('whatever happens, rounds go on, nobody counts twice, and the journal tells it all again', () => {
  const wallets = ['a', 'b', 'c', 'd', 'e'];
  const actions = fc.oneof(
    fc.record({ do: fc.constantFrom('join', 'leave', 'submit', 'late'), who: fc.constantFrom(...wallets) }),
    fc.record({ do: fc.constantFrom('wait', 'judge', 'aggregate', 'restart'), who: fc.constantFrom(...wallets) }),
  );
  fc.assert(
    fc.property(fc.array(actions, { maxLength: 120 }), (list) => {
      const run = new Run({ rounds: 100 });
      for (const { do: what, who } of list) {
        if (what === 'join') run.join(who);
        if (what === 'leave') run.feed({ kind: 'left', wallet: who });
        if (what === 'wait') {
          run.nowMs += 700;
          run.feed({ kind: 'tick' });
        }
        if (what === 'submit' && run.unitOf(who)) run.submit(who);
        if (what === 'late') {
          const open = [...run.state.units.values()].find((unit) => unit.wallet === who && isOpen(run.state, unit));
          if (open) run.feed({ kind: 'submitted', unit: open.id, update: update(run.nowMs) });
        }
        if (what === 'judge' && run.state.phase === 'validating') {
          const units = [...run.state.units.values()].filter(({ status }) => status === 'submitted');
          run.feed({ kind: 'judged', verdicts: units.map(({ id }, i) => (i % 3 < 2 ? good(id) : { unit: id })) });
        }
        if (what === 'aggregate') run.feed({ kind: 'aggregated', weights: `w${run.state.round}`, delta: 'd' });
        if (what === 'restart') run.feed({ kind: 'restarted' });
      }
      let again = created({ kind: 'created', campaign: campaignOf({ rounds: 100 }), weights: WEIGHTS });
      for (const { event, nowMs } of run.journal) again = tick(again, event, nowMs).state;
      expect(again).toEqual(run.state);

      const published = run.effects.flatMap((effect) => (effect.kind === 'publish' ? [effect.round] : []));
      expect(published).toEqual(published.map((_, i) => i));
      const joined = new Map<string, number>();
      for (const effect of run.effects) {
        if (effect.kind !== 'aggregate') continue;
        for (const { unit, staleness } of effect.units) {
          expect(staleness).toBeLessThanOrEqual(MAX_STALENESS);
          const round = joined.get(unit.id) ?? unit.round + staleness;
          // Asked for again after a restart, it is still the same round.
          expect(round).toBe(unit.round + staleness);
          joined.set(unit.id, round);
        }
      }
      for (const effect of run.effects) if (effect.kind === 'pay') expect(joined.has(effect.unit.id)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
