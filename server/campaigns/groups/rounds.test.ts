import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Campaign } from '../../../shared/train/campaign/campaign.ts';
import type { CampaignEffect, CampaignEvent, CampaignState } from '../state.ts';
import { campaignOf } from '../testing.ts';
import { created, tick } from '../tick.ts';
import { type AskedStage, asked, type Group, type Saying, STAGES, survivorsOf } from './group.ts';

const CHANGE: Partial<Campaign> = {
  ...{ data: { mode: 'local', groupSize: 4, threshold: 3, clip: 1 }, minWorkers: 4, maxWorkers: 9 },
  ...{ graceMs: 1000, roundTimeoutMs: 60_000, quorumPermille: 1000 },
};
const UPDATE = { hash: '11'.repeat(32), bytes: 100, norm: 1, values: 9, arrivedMs: 5 };
const KEYS = { maskKey: '', boxKey: '', commitment: '', signature: '' };
const WALLETS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'];

class Run {
  state: CampaignState = created({ kind: 'created', campaign: campaignOf(CHANGE), weights: '00'.repeat(32) });
  nowMs = 0;

  feed(event: CampaignEvent): CampaignEffect[] {
    const { state, effects } = tick(this.state, event, this.nowMs);
    this.state = state;
    return effects;
  }

  join(...wallets: string[]): CampaignEffect[] {
    return wallets.flatMap((wallet) => this.feed({ kind: 'joined', wallet }));
  }

  get groups(): Group[] {
    return [...this.state.groups.values()];
  }

  /** These answer what the group asks, as nobody checks here. */
  say(group: Group, ...wallets: string[]): CampaignEffect[] {
    return wallets.flatMap((wallet) => this.feed({ kind: 'said', unit: group.id, wallet, saying: answerTo(group) }));
  }

  later(ms: number): CampaignEffect[] {
    this.nowMs += ms;
    return this.feed({ kind: 'tick' });
  }
}

function answerTo({ stage, keys }: Group): Saying {
  const shares = Object.fromEntries(Object.keys(keys).map((wallet) => [wallet, 'sealed']));
  const answers: Record<AskedStage, Saying> = {
    keys: { stage: 'keys', answer: KEYS },
    shares: { stage: 'shares', answer: shares },
    updates: { stage: 'updates', answer: { hash: '', arrivedMs: 1 } },
    agreement: { stage: 'agreement', answer: 'signed' },
    reveal: { stage: 'reveal', answer: shares },
  };
  return answers[stage as AskedStage];
}

const kinds = (effects: CampaignEffect[]) => effects.map(({ kind }) => kind);

describe('a round of groups', () => {
  test('draws as many groups as fit, each with its own threshold, from the weights', () => {
    const run = new Run();
    run.join(...WALLETS.slice(0, 4));
    expect(run.groups.map(({ members }) => members)).toEqual([['a', 'b', 'c', 'd']]);
    const all = new Run();
    all.state = { ...all.state, workers: new Set(WALLETS.slice(0, 8)) };
    all.join('i');
    expect(all.groups.map(({ members, threshold }) => [members.length, threshold]).sort()).toEqual([
      [4, 3],
      [5, 4],
    ]);
    expect(all.groups.flatMap(({ members }) => members).sort()).toEqual(WALLETS);
  });

  test('asks stage after stage, adds up, and pays whoever is in the sum', () => {
    const run = new Run();
    const effects = run.join('a', 'b', 'c', 'd');
    for (const stage of STAGES) {
      expect(run.groups[0]!.stage).toBe(stage);
      effects.push(...run.say(run.groups[0]!, 'a', 'b', 'c', 'd'));
    }
    expect(kinds(effects)).toEqual(['ask', 'ask', 'ask', 'ask', 'ask', 'sum']);
    const { id } = run.groups[0]!;
    expect(kinds(run.feed({ kind: 'summed', unit: id, update: UPDATE }))).toEqual(['disband', 'validate']);
    run.feed({ kind: 'judged', verdicts: [{ unit: id, score: { lossBefore: 2, lossAfter: 1 } }] });
    const paid = run.feed({ kind: 'aggregated', weights: '22'.repeat(32), delta: 'd' });
    const [pay] = paid.flatMap((effect) => (effect.kind === 'pay' ? [effect.unit] : []));
    expect(pay!.members!.map(({ wallet }) => wallet)).toEqual(['a', 'b', 'c', 'd']);
    expect(run.state.round).toBe(1);
  });

  test('goes on without those who are silent, and tells who came too late', () => {
    const run = new Run();
    run.join('a', 'b', 'c', 'd');
    for (const _ of ['keys', 'shares']) run.say(run.groups[0]!, 'a', 'b', 'c', 'd');
    run.say(run.groups[0]!, 'b', 'c', 'd');
    run.feed({ kind: 'left', wallet: 'a' });
    expect(run.groups[0]!.endsMs).toBe(1000);
    const effects = run.later(1000);
    expect(effects).toMatchObject([
      { kind: 'ask', wallets: ['b', 'c', 'd'] },
      { kind: 'exclude', wallets: ['a'] },
    ]);
    expect(survivorsOf(run.groups[0]!)).toEqual(['b', 'c', 'd']);
    // What comes too late is not heard, not even from who says it survived.
    run.say({ ...run.groups[0]!, stage: 'updates' }, 'a');
    expect(survivorsOf(run.groups[0]!)).toEqual(['b', 'c', 'd']);
  });

  test('fails with fewer than the threshold, and the round begins anew', () => {
    const run = new Run();
    run.join('a', 'b', 'c', 'd');
    run.say(run.groups[0]!, 'a', 'b');
    const effects = run.later(1000);
    expect(effects).toMatchObject([{ kind: 'disband', wallets: ['a', 'b', 'c', 'd'] }, { kind: 'ask' }]);
    expect(run.state).toMatchObject({ phase: 'training', round: 0, attempt: 2 });
  });

  test('after a restart asks who comes back for what is missing, and adds up once more', () => {
    const run = new Run();
    run.join('a', 'b', 'c', 'd');
    run.say(run.groups[0]!, 'a', 'b');
    run.nowMs = 50_000;
    run.feed({ kind: 'restarted' });
    expect(run.groups[0]!.endsMs).toBe(51_000);
    expect(run.join('a')).toEqual([]);
    expect(run.join('c')).toMatchObject([{ kind: 'ask', wallets: ['c'] }]);
    run.say(run.groups[0]!, 'c', 'd');
    while (run.groups[0]!.stage !== 'sum') run.say(run.groups[0]!, ...asked(run.groups[0]!));
    expect(kinds(run.feed({ kind: 'restarted' }))).toEqual(['sum']);
  });

  test('never hangs: whoever answers or not, every group has ended when all its times are over', () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('say' as const), who: fc.nat(8) }),
      fc.record({ do: fc.constant('leave' as const), who: fc.nat(8) }),
      fc.record({ do: fc.constant('join' as const), who: fc.nat(8) }),
      fc.record({ do: fc.constant('wait' as const), who: fc.nat(3000) }),
      fc.record({ do: fc.constant('restart' as const), who: fc.constant(0) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const run = new Run();
        run.join(...WALLETS);
        const summing = () => run.groups.find(({ stage }) => stage === 'sum');
        for (const { do: what, who } of steps) {
          const wallet = WALLETS[who]!;
          const group = run.groups.find(({ members }) => members.includes(wallet));
          if (what === 'say' && group && STAGES.some((stage) => stage === group.stage)) run.say(group, wallet);
          else if (what === 'leave') run.feed({ kind: 'left', wallet });
          else if (what === 'join') run.join(wallet);
          else if (what === 'wait') run.later(who);
          else if (what === 'restart') run.feed({ kind: 'restarted' });
        }
        const { attempt } = run.state;
        for (let i = 0; i < 10 && run.state.attempt === attempt && run.state.phase === 'training'; i++) {
          for (let group = summing(); group; group = summing()) {
            run.feed({ kind: 'unsummed', unit: group.id, reason: 'no' });
          }
          run.later(60_000);
        }
        expect(run.state.attempt > attempt || run.state.phase === 'waiting').toBe(true);
      }),
    );
  });
});
