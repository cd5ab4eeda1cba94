/** Orders of events around a lost stage, each told to the state machine by hand. */
import { describe, expect, test } from 'vitest';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { decodeFrame } from '../../shared/tensor/frame.ts';
import { type HolderView, type JobEffect, type JobEvent, type Jobs, NO_JOBS, type RoomView } from './job.ts';
import { assignmentsInUse, step } from './jobs.ts';
import {
  FIRST_TOKEN_TIMEOUT_MS,
  MAX_REPLACEMENTS,
  MAX_STALLS,
  REPLACEMENT_TIMEOUT_MS,
  REPLAY_TIMEOUT_MS,
  TOKEN_TIMEOUT_MS,
} from './limits.ts';
import { rowsFrame } from './testing.ts';

const PROMPT = [1, 2, 3];
const JOB = '0f'.repeat(16);
const holder = (name: string, extra: Partial<HolderView> = {}): HolderView => ({
  node: name,
  assignment: `of ${name}`,
  ready: true,
  ...extra,
});
/** One list of holders for each stage; a name alone is a holder that is ready. */
const roomOf = (...stages: (string | HolderView)[][]): RoomView => ({
  contextLength: 64,
  vocabSize: 100,
  eosTokens: [99],
  maxSequences: 3,
  wire: 'f32',
  plannedStages: stages.length,
  stages: stages.map((holders, i) => ({
    start: i,
    end: i + 1,
    holders: holders.map((each) => (typeof each === 'string' ? holder(each) : each)),
  })),
});

/** A job over the first holders of the room; `told` is what went out, without what the requester gets. */
function begin(room: RoomView, sampling = GREEDY) {
  const it = {
    jobs: NO_JOBS as Jobs,
    nowMs: 0,
    send(event: JobEvent): JobEffect[] {
      const next = step(it.jobs, event, { nowMs: it.nowMs, newId: () => JOB });
      it.jobs = next.jobs;
      return next.effects;
    },
    job: () => it.jobs.running.get(JOB)!,
    frame(from: string, to: string, position: number, rows: number, epoch = 0) {
      const data = rowsFrame(JOB, position, rows);
      return it.send({ kind: 'frame', from, body: { job: JOB, to, epoch, data } });
    },
    token: (from: string, index: number, token = 7) =>
      it.send({ kind: 'token', from, body: { job: JOB, index, token } }),
    lose(name: string, view: RoomView) {
      const lost = it.send({ kind: 'lost', assignment: `of ${name}` });
      return [...lost, ...it.mend(view)];
    },
    mend: (view: RoomView) => it.send({ kind: 'mend', model: 'm', room: view }),
  };
  const body: FromNode['generate'] = {
    ...{ request: '01'.repeat(16), model: 'm', tokens: PROMPT, maxNewTokens: 9, sampling },
  };
  it.send({ kind: 'generate', from: 'asker', room, body });
  return it;
}

const brief = (effects: JobEffect[]) =>
  effects.map((e) => (e.kind === 'send' ? `${e.type}→${e.to}` : e.kind === 'refuse' ? `refuse→${e.to}` : e.kind));
function bodyOf<T extends keyof FromCoordinator>(effects: JobEffect[], type: T): FromCoordinator[T] {
  const found = effects.find((e) => e.kind === 'send' && e.type === type);
  if (found?.kind !== 'send') throw new Error(`no ${type}`);
  return found.body as FromCoordinator[T];
}
const idsOf = (effects: JobEffect[]) => {
  const frame = decodeFrame(bodyOf(effects, 'frame').data);
  return { position: frame.position, ids: frame.kind === 'tokens' ? [...frame.ids] : [] };
};
const errorOf = (effects: JobEffect[]) => bodyOf(effects, 'failed').error.code;

const three = roomOf(['a'], ['b', 'b2'], ['c']);

describe('a stage in the middle is lost', () => {
  test('between frames: its standby opens the job, its predecessor sends again, its successor hears nothing', () => {
    const it = begin(three);
    it.frame('a', 'b', 0, 3);
    it.frame('b', 'c', 0, 3);
    it.token('c', 0);
    it.frame('c', 'a', 3, 1);
    it.frame('a', 'b', 3, 1);
    const effects = it.lose('b', roomOf(['a'], ['b2'], ['c']));
    expect(brief(effects)).toEqual(['jobClose→b', 'jobOpen→b2', 'jobNext→a']);
    expect(bodyOf(effects, 'jobOpen')).toMatchObject({ next: 'c', has: 3, promptTokens: 3 });
    expect(bodyOf(effects, 'jobNext')).toMatchObject({ next: 'b2', has: 0 });
    expect(it.job().stages.map(({ node }) => node)).toEqual(['a', 'b2', 'c']);
    expect([...assignmentsInUse(it.jobs)]).toEqual(['of a', 'of b2', 'of c']);
  });

  test('during prefill: its successor has what came through', () => {
    const it = begin(three);
    it.frame('a', 'b', 0, 2);
    it.frame('b', 'c', 0, 2);
    expect(bodyOf(it.lose('b', roomOf(['a'], ['b2'], ['c'])), 'jobOpen')).toMatchObject({ has: 2 });
  });

  test('and what was on its way to it or from it goes nowhere, without blame', () => {
    const it = begin(three);
    it.send({ kind: 'lost', assignment: 'of b' });
    expect(it.frame('a', 'b', 0, 3), 'nobody is there').toEqual([]);
    const { epoch } = bodyOf(it.mend(roomOf(['a'], ['b2'], ['c'])), 'jobNext');
    expect(it.frame('a', 'b', 0, 3), 'for the one that is gone').toEqual([]);
    expect(it.frame('b', 'c', 0, 3), 'from the one that is gone').toEqual([]);
    expect(it.send({ kind: 'more', from: 'b', body: { job: JOB } })).toEqual([]);
    expect(brief(it.frame('a', 'b2', 0, 3, epoch))).toEqual(['frame→b2']);
    expect(brief(it.frame('b2', 'c', 0, 3, epoch))).toEqual(['frame→c']);
  });

  test('the same node can come back to it: only what it says in the new epoch counts', () => {
    const it = begin(three);
    it.lose('b', roomOf(['a'], ['b2'], ['c']));
    const effects = it.lose('b2', roomOf(['a'], ['b'], ['c']));
    const { epoch } = bodyOf(effects, 'jobOpen');
    expect(it.frame('b', 'c', 0, 3)).toEqual([]);
    expect(brief(it.frame('b', 'c', 0, 3, epoch))).toEqual(['frame→c']);
  });

  test('while its replacement is replaying: the next one begins at the beginning', () => {
    const it = begin(three);
    it.frame('a', 'b', 0, 3);
    it.frame('b', 'c', 0, 3);
    const { epoch } = bodyOf(it.lose('b', roomOf(['a'], ['b2'], ['c'])), 'jobNext');
    it.frame('a', 'b2', 0, 3, epoch);
    const effects = it.lose('b2', roomOf(['a'], ['b3'], ['c']));
    expect(brief(effects)).toEqual(['jobClose→b2', 'jobOpen→b3', 'jobNext→a']);
    expect(bodyOf(effects, 'jobOpen')).toMatchObject({ has: 3 });
    expect(bodyOf(effects, 'jobNext')).toMatchObject({ next: 'b3', has: 0 });
  });

  test('a long replay goes in pieces: who has run one lets the predecessor go on', () => {
    const it = begin(three);
    it.lose('b', roomOf(['a'], ['b2'], ['c']));
    expect(brief(it.send({ kind: 'more', from: 'b2', body: { job: JOB } }))).toEqual(['more→a']);
    expect(it.send({ kind: 'more', from: 'a', body: { job: JOB } }), 'the coordinator does not wait').toEqual([]);
  });
});

describe('a stage at an end is lost', () => {
  test('the first: prompt and answer come from the coordinator, later tokens from the last stage', () => {
    const it = begin(roomOf(['a', 'a2'], ['b']));
    it.frame('a', 'b', 0, 3);
    it.token('b', 0, 40);
    it.frame('b', 'a', 3, 1);
    it.frame('a', 'b', 3, 1);
    it.token('b', 1, 41);
    const effects = it.lose('a', roomOf(['a2'], ['b']));
    expect(brief(effects)).toEqual(['jobClose→a', 'jobOpen→a2', 'jobNext→b', 'frame→a2']);
    expect(idsOf(effects)).toEqual({ position: 0, ids: [...PROMPT, 40, 41] });
    expect(bodyOf(effects, 'jobOpen')).toMatchObject({ next: 'b', has: 4 });
    expect(bodyOf(effects, 'jobNext')).toMatchObject({ next: 'a2', has: 5 });
    expect(it.frame('b', 'a', 4, 1), 'the token that crossed').toEqual([]);
  });

  test('the last: it learns what was answered, and the first gets a token that was lost with it', () => {
    const it = begin(roomOf(['a'], ['b', 'b2']), { ...GREEDY, repetitionPenalty: 1.2 });
    it.frame('a', 'b', 0, 3);
    it.token('b', 0, 40);
    const effects = it.lose('b', roomOf(['a'], ['b2']));
    expect(brief(effects)).toEqual(['jobClose→b', 'jobOpen→b2', 'jobNext→a', 'frame→a']);
    expect(bodyOf(effects, 'jobOpen')).toMatchObject({ has: 4, sample: { prompt: PROMPT, answered: [40] } });
    expect(idsOf(effects)).toEqual({ position: 3, ids: [40] });
  });

  test('the last, when the first has the token: it gets nothing twice', () => {
    const it = begin(roomOf(['a'], ['b', 'b2']));
    it.frame('a', 'b', 0, 3);
    it.token('b', 0, 40);
    it.frame('b', 'a', 3, 1);
    expect(brief(it.lose('b', roomOf(['a'], ['b2'])))).toEqual(['jobClose→b', 'jobOpen→b2', 'jobNext→a']);
  });

  test('the only one: everything in one message', () => {
    const it = begin(roomOf(['a', 'a2']));
    it.token('a', 0, 40);
    const effects = it.lose('a', roomOf(['a2']));
    expect(brief(effects)).toEqual(['jobClose→a', 'jobOpen→a2', 'frame→a2']);
    expect(bodyOf(effects, 'jobOpen')).toMatchObject({ next: 'a2', has: 4, sample: { answered: [40] } });
    expect(idsOf(effects).ids).toEqual([...PROMPT, 40]);
  });

  test('a token that comes twice is told once; another in its place is a lie', () => {
    const it = begin(roomOf(['a'], ['b', 'b2']));
    it.frame('a', 'b', 0, 3);
    it.token('b', 0, 40);
    it.lose('b', roomOf(['a'], ['b2']));
    expect(it.token('b', 1, 41), 'from the one that is gone').toEqual([]);
    expect(it.token('b2', 0, 40)).toEqual([]);
    it.frame('a', 'b2', 0, 4, 1);
    expect(brief(it.token('b2', 1, 41))).toEqual(['token→asker', 'resumed']);
    expect(brief(it.token('b2', 0, 39))).toEqual(['refuse→b2', 'misbehaved']);
  });
});

test('a last stage that comes back is believed what it said before it was lost', () => {
  const it = begin(roomOf(['a'], ['b', 'b2']));
  it.frame('a', 'b', 0, 3);
  it.lose('b', roomOf(['a'], ['b2']));
  it.lose('b2', roomOf(['a'], ['b']));
  expect(brief(it.token('b', 0, 40))).toContain('token→asker');
});

describe('two are lost at once', () => {
  test.each([
    ['the earlier first', ['a', 'b']],
    ['the later first', ['b', 'a']],
  ])('neighbours, %s: the second replacement gets its rows from the first', (_, order) => {
    const it = begin(roomOf(['a', 'a2'], ['b', 'b2'], ['c']));
    it.frame('a', 'b', 0, 3);
    it.frame('b', 'c', 0, 3);
    for (const name of order) it.send({ kind: 'lost', assignment: `of ${name}` });
    const effects = it.mend(roomOf(['a2'], ['b2'], ['c']));
    expect(brief(effects)).toEqual(['jobOpen→a2', 'jobNext→c', 'frame→a2', 'jobOpen→b2', 'jobNext→a2']);
    expect(bodyOf(effects, 'jobOpen'), 'b2 has nothing yet').toMatchObject({ has: 0 });
    expect(effects[4]).toMatchObject({ to: 'a2', body: { next: 'b2', has: 0 } });
    expect(effects[3]).toMatchObject({ to: 'b2', body: { next: 'c', has: 3 } });
  });

  test('one has a standby, the other must be loaded: the job waits for it and no longer', () => {
    const it = begin(three);
    for (const name of ['a', 'b']) it.send({ kind: 'lost', assignment: `of ${name}` });
    const loading = roomOf([holder('d', { ready: false })], ['b2'], ['c']);
    expect(brief(it.mend(loading))).toEqual(['jobOpen→b2']);
    const later = { ...it.jobs };
    expect(brief(it.mend(roomOf(['d'], ['b2'], ['c'])))).toEqual(['jobOpen→d', 'jobNext→c', 'frame→d']);

    it.jobs = later;
    it.nowMs = REPLACEMENT_TIMEOUT_MS;
    const effects = it.send({ kind: 'tick' });
    expect(errorOf(effects)).toBe('STAGE_LOST');
    expect(brief(effects)).toEqual(['failed→asker', 'jobClose→b2', 'jobClose→c']);
  });
});

describe('a holder', () => {
  const away = holder('b', { awaySinceMs: 200 });

  test('that is away is replaced where another could go on, and told for when it comes back', () => {
    const it = begin(three);
    it.nowMs = 1200;
    expect(brief(it.mend(roomOf(['a'], [away, 'b2'], ['c'])))).toEqual(['jobClose→b', 'jobOpen→b2', 'jobNext→a']);
    it.frame('a', 'b2', 0, 3, 1);
    it.frame('b2', 'c', 0, 3, 1);
    it.nowMs = 1500;
    expect(bodyOf(it.token('c', 0), 'token')).toMatchObject({ pausedMs: 1300 });
    it.frame('b2', 'c', 3, 1, 1);
    expect(bodyOf(it.token('c', 1), 'token')).not.toHaveProperty('pausedMs');
  });

  test('that was replaced has paused the answer until a token that needed the replacement', () => {
    const it = begin(three);
    it.frame('b', 'c', 0, 3);
    it.nowMs = 100;
    it.lose('b', roomOf(['a'], ['b2'], ['c']));
    it.nowMs = 110;
    expect(bodyOf(it.token('c', 0), 'token'), 'its rows were past b').not.toHaveProperty('pausedMs');
    it.nowMs = 400;
    it.frame('b2', 'c', 3, 1, 1);
    expect(bodyOf(it.token('c', 1), 'token')).toMatchObject({ pausedMs: 300 });
  });

  test('that is away is waited for where nobody could', () => {
    const it = begin(three);
    for (const view of [roomOf(['a'], [away], ['c']), roomOf(['a'], [away, holder('b2', { ready: false })], ['c'])]) {
      expect(it.mend(view)).toEqual([]);
    }
    const effects = it.lose('b', roomOf(['a'], [holder('b2', { awaySinceMs: 1 })], ['c']));
    expect(brief(effects), 'the other one may come back too').toEqual(['jobClose→b']);
  });

  test('that is leaving finishes what it has', () => {
    const it = begin(three);
    expect(it.mend(roomOf(['a'], ['b2'], ['c']))).toEqual([]);
  });

  test('that cannot compute the job is replaced and not asked again', () => {
    const it = begin(three);
    const error = { code: 'ENGINE_FAILED', message: 'x' };
    expect(brief(it.send({ kind: 'jobFailed', from: 'b', body: { job: JOB, error } }))).toEqual(['jobClose→b']);
    expect(brief(it.mend(three))).toEqual(['jobOpen→b2', 'jobNext→a']);
    it.send({ kind: 'jobFailed', from: 'b2', body: { job: JOB, error } });
    expect(errorOf(it.mend(three))).toBe('ENGINE_FAILED');
  });

  test('that is least loaded gets the next job', () => {
    const it = begin(three);
    const body: FromNode['generate'] = {
      ...{ request: '02'.repeat(16), model: 'm', tokens: PROMPT, maxNewTokens: 9, sampling: GREEDY },
    };
    const effects = it.send({ kind: 'generate', from: 'asker', room: three, body });
    expect(bodyOf(effects, 'accepted').participants).toEqual(['a', 'b2', 'c']);
  });
});

describe('an answer that lost stages', () => {
  test('is completed by, and names as taking part, who holds them at its end', () => {
    const it = begin(three);
    it.frame('b', 'c', 0, 3);
    it.token('c', 0);
    it.lose('b', roomOf(['a'], ['b2'], ['c']));
    it.frame('b2', 'c', 3, 1, 1);
    const effects = it.token('c', 1, 99);
    const completed = effects.find((e) => e.kind === 'completed');
    expect(completed?.job.stages.map(({ node }) => node)).toEqual(['a', 'b2', 'c']);
    expect(brief(effects).slice(-3)).toEqual(['jobClose→a', 'jobClose→b2', 'jobClose→c']);
  });

  test('ends where its requester is gone, also while a stage is missing', () => {
    const it = begin(three);
    it.send({ kind: 'lost', assignment: 'of b' });
    expect(brief(it.send({ kind: 'gone', node: 'asker' }))).toEqual(['failed→asker', 'jobClose→a', 'jobClose→c']);
    expect(it.mend(three)).toEqual([]);
  });

  test('is given up when nodes keep dying of it', () => {
    const it = begin(three);
    for (let i = 0; i < MAX_REPLACEMENTS; i++) {
      const [from, to] = i % 2 === 0 ? ['b', 'b2'] : ['b2', 'b'];
      it.lose(from!, roomOf(['a'], [to!], ['c']));
    }
    expect(errorOf(it.lose('b', roomOf(['a'], ['b2'], ['c'])))).toBe('STAGE_LOST');
  });
});

describe('an answer that somebody holds up', () => {
  const tick = (it: ReturnType<typeof begin>) => {
    it.nowMs += Math.max(TOKEN_TIMEOUT_MS, REPLAY_TIMEOUT_MS);
    return it.send({ kind: 'tick' });
  };

  test('goes on without the last who has the row, and counts the time that it stood still', () => {
    const it = begin(three);
    it.frame('a', 'b', 0, 3);
    expect(brief(tick(it)), 'it has not sent on what it got').toEqual(['jobClose→b', 'unreliable']);
    expect(brief(it.mend(roomOf(['a'], ['b2'], ['c'])))).toEqual(['jobOpen→b2', 'jobNext→a']);
    it.frame('a', 'b2', 0, 3, 1);
    it.frame('b2', 'c', 0, 3, 1);
    it.nowMs += 10;
    expect(bodyOf(it.token('c', 0), 'token')).toMatchObject({ pausedMs: it.nowMs });
  });

  test('goes on without a last one that chose a token and did not tell the first', () => {
    const it = begin(roomOf(['a'], ['b']));
    it.frame('a', 'b', 0, 3);
    it.token('b', 0);
    expect(brief(tick(it))).toEqual(['jobClose→b', 'unreliable']);
  });

  test('is given up at once where nobody else can, and where it happens again and again', () => {
    const alone = begin(three);
    tick(alone);
    expect(errorOf(alone.mend(roomOf([], ['b'], ['c'])))).toBe('JOB_STALLED');

    const again = begin(three);
    for (let i = 0; i < MAX_STALLS; i++) {
      expect(brief(tick(again))).toContain('unreliable');
      again.mend(roomOf([i % 2 === 0 ? 'a2' : 'a'], ['b'], ['c']));
    }
    expect(errorOf(tick(again))).toBe('JOB_STALLED');
  });

  test('asks first how far everybody is where rows go directly', () => {
    const near = (name: string) => holder(name, { direct: true });
    const it = begin(roomOf([near('a')], [near('b')], [near('c')]));
    expect(brief(tick(it))).toEqual(['jobPrevious→a', 'jobPrevious→b', 'jobPrevious→c']);
    it.send({ kind: 'jobRows', from: 'b', body: { job: JOB, epoch: 0, rows: 3 } });
    expect(brief(tick(it))).toEqual(['jobClose→b', 'unreliable']);
  });
});

describe('stages that are linked directly', () => {
  const near = (name: string) => holder(name, { direct: true });
  const room = (...names: string[][]) => roomOf(...names.map((stage) => stage.map(near)));
  const ring = room(['a'], ['b'], ['c']);
  const openOf = (effects: JobEffect[], to: string) => {
    const found = effects.find((e) => e.kind === 'send' && e.type === 'jobOpen' && e.to === to);
    return found?.kind === 'send' && found.type === 'jobOpen' ? found.body : undefined;
  };

  test('learn of each other, of those that are not, and never of themselves', () => {
    const opens = (view: RoomView) => {
      const body = { request: '05'.repeat(16), model: 'm', tokens: PROMPT, maxNewTokens: 9, sampling: GREEDY };
      const context = { nowMs: 0, newId: () => JOB };
      return step(NO_JOBS, { kind: 'generate', from: 'asker', room: view, body }, context).effects;
    };
    const all = opens(ring);
    expect(openOf(all, 'b')).toMatchObject({ direct: true, previous: { node: 'a', epoch: 0 } });
    expect(openOf(all, 'a')).toMatchObject({ direct: true, previous: { node: 'c', epoch: 0 } });
    const some = opens(roomOf(['a'], [near('b')], [near('c')]));
    expect(openOf(some, 'a')).not.toHaveProperty('direct');
    expect(openOf(some, 'b')).not.toHaveProperty('previous');
    expect(openOf(some, 'c')).not.toHaveProperty('direct');
    expect(openOf(opens(room(['a'])), 'a')).not.toHaveProperty('direct');
  });

  test('are asked, when one is replaced, how many rows came that nobody saw here, and the new one is told', () => {
    const it = begin(ring);
    it.token('c', 0);
    const effects = it.lose('b', room(['a'], ['b2'], ['c']));
    expect(brief(effects)).toEqual(['jobClose→b', 'jobOpen→b2', 'jobNext→a', 'jobPrevious→c']);
    expect(openOf(effects, 'b2')).toMatchObject({ has: 0, epoch: 1, direct: true, previous: { node: 'a', epoch: 1 } });
    expect(bodyOf(effects, 'jobPrevious')).toEqual({ job: JOB, epoch: 1, node: 'b2' });
    const tell = (epoch: number, rows: number) =>
      it.send({ kind: 'jobRows', from: 'c', body: { job: JOB, epoch, rows } });
    expect(tell(0, 9), 'of an earlier link').toEqual([]);
    const told = tell(1, 4);
    expect(brief(told)).toEqual(['jobRows→b2']);
    expect(bodyOf(told, 'jobRows')).toEqual({ job: JOB, epoch: 1, rows: 4 });
    expect(tell(1, 5), 'only what was asked').toEqual([]);
    expect(brief(it.token('c', 1)), 'its row was past b').toEqual(['token→asker']);
    expect(brief(it.token('c', 2))).toEqual(['token→asker', 'resumed']);
  });

  test('whose next is replaced by one that cannot, or that is no neighbour any more, are told so', () => {
    const it = begin(ring);
    const effects = it.lose('b', roomOf([near('a')], ['b2'], [near('c')]));
    expect(bodyOf(effects, 'jobNext')).not.toHaveProperty('direct');
    expect(bodyOf(effects, 'jobPrevious')).toEqual({ job: JOB, epoch: 1 });
  });

  test('go on while they tell so, though not a frame is seen, but not for ever', () => {
    const it = begin(ring);
    const tick = () => it.send({ kind: 'tick' });
    let rows = 0;
    for (; it.nowMs < FIRST_TOKEN_TIMEOUT_MS - TOKEN_TIMEOUT_MS; it.nowMs += TOKEN_TIMEOUT_MS - 1) {
      expect(tick()).toEqual([]);
      it.send({ kind: 'jobRows', from: 'b', body: { job: JOB, epoch: 0, rows: ++rows } });
    }
    for (let i = 0; i < 2; i++) {
      it.nowMs += TOKEN_TIMEOUT_MS;
      it.send({ kind: 'jobRows', from: 'b', body: { job: JOB, epoch: 0, rows: ++rows } });
    }
    expect(brief(tick()), 'they are asked, and who has its rows is replaced').toEqual(
      ['a', 'b', 'c'].map((name) => `jobPrevious→${name}`),
    );
  });
});
