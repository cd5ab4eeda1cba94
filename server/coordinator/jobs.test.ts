import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GREEDY } from '../../shared/sampler/types.ts';
import { decodeFrame } from '../../shared/tensor/frame.ts';
import { type Job, type JobEffect, type JobEvent, type Jobs, NO_JOBS, type RoomView } from './job.ts';
import { assignmentsInUse, step } from './jobs.ts';
import {
  FIRST_TOKEN_TIMEOUT_MS,
  MAX_JOB_FAILURES,
  MAX_STALLS,
  REPLACEMENT_TIMEOUT_MS,
  REPLAY_TIMEOUT_MS,
  TOKEN_TIMEOUT_MS,
} from './limits.ts';
import { rowsFrame } from './testing.ts';

/** Ends an answer. */
const END = 99;

const holder = (stage: number, name = '') => ({
  node: `node${stage}${name}`,
  assignment: `assignment${stage}${name}`,
  ready: true,
});
const room = (stages: number, maxSequences = 3): RoomView => ({
  contextLength: 32,
  vocabSize: 100,
  eosTokens: [END],
  maxSequences,
  wire: 'f32',
  plannedStages: stages,
  stages: Array.from({ length: stages }, (_, i) => ({
    start: i,
    end: i + 1,
    holders: [holder(i)],
  })),
});

const request = (n: number | string) => String(n).padStart(32, '0');
const generate = (from: string, n: number | string, view: RoomView | undefined = room(3), extra = {}): JobEvent => ({
  kind: 'generate',
  from,
  room: view,
  body: { request: request(n), model: 'm', tokens: [1, 2, 3], maxNewTokens: 4, sampling: GREEDY, ...extra },
});

function driver() {
  let ids = 0;
  const self = {
    jobs: NO_JOBS as Jobs,
    nowMs: 0,
    send(event: JobEvent): JobEffect[] {
      const before = [...self.jobs.running.values()].map((job) => ({ ...job }));
      const previous = self.jobs;
      const next = step(self.jobs, event, { nowMs: self.nowMs, newId: () => request(`a${ids++}`) });
      expect([...previous.running.values()], 'a step must not change the state it was given').toEqual(before);
      self.jobs = next.jobs;
      return next.effects;
    },
    soleJob: () => [...self.jobs.running.values()][0]!,
    /** Rows reach the last stage, so that it can choose the token. */
    reach(job: Job, index: number) {
      const [before, last] = job.stages.slice(-2);
      const data = rowsFrame(job.id, 0, job.prompt.length + index);
      return self.send({
        ...{ kind: 'frame', from: before!.node },
        body: { job: job.id, to: last!.node, epoch: last!.epoch, data },
      });
    },
    token: (index: number, token = 7) => {
      self.reach(self.soleJob(), index);
      return self.send({ kind: 'token', from: 'node2', body: { job: self.soleJob().id, index, token } });
    },
  };
  return self;
}

const brief = (effects: JobEffect[]) =>
  effects.map((e) => (e.kind === 'send' ? `${e.type}→${e.to}` : e.kind === 'refuse' ? `refuse→${e.to}` : e.kind));
const errorIn = (effects: JobEffect[]) =>
  effects.flatMap((e) => (e.kind === 'send' && e.type === 'failed' ? [e.body.error.code] : []));

describe('an inference', () => {
  test('tells every stage, then hands the prompt to the first', () => {
    const it = driver();
    const effects = it.send(generate('asker', 1));
    expect(brief(effects)).toEqual([
      'jobOpen→node0',
      'jobOpen→node1',
      'jobOpen→node2',
      'accepted→asker',
      'frame→node0',
    ]);
    const opens = effects.flatMap((e) => (e.kind === 'send' && e.type === 'jobOpen' ? [e.body] : []));
    expect(opens.map(({ next, assignment }) => [next, assignment])).toEqual([
      ['node1', 'assignment0'],
      ['node2', 'assignment1'],
      ['node0', 'assignment2'],
    ]);
    expect(opens.map(({ sample }) => sample)).toEqual([
      undefined,
      undefined,
      { sampling: GREEDY, maxNewTokens: 4, prompt: [], answered: [] },
    ]);
    const prompt = effects.at(-1)!;
    if (prompt.kind !== 'send' || prompt.type !== 'frame') throw new Error('no prompt');
    expect(decodeFrame(prompt.body.data)).toEqual({
      job: it.soleJob().id,
      sequence: 0,
      position: 0,
      sampleAfter: true,
      kind: 'tokens',
      ids: Int32Array.of(1, 2, 3),
    });
  });

  test('streams tokens, ends once, is completed once', () => {
    const it = driver();
    it.send(generate('asker', 1));
    it.nowMs = 1500;
    expect(brief(it.token(0))).toEqual(['token→asker']);
    const effects = it.token(1, END);
    expect(brief(effects)).toEqual([
      'token→asker',
      'finished→asker',
      'completed',
      'jobClose→node0',
      'jobClose→node1',
      'jobClose→node2',
    ]);
    expect(effects[1]).toMatchObject({ body: { reason: 'stop', tokens: 2, latencyMs: 1500 } });
    expect(it.jobs.running.size).toBe(0);
  });

  test('ends at the length it was asked for even if the last stage does not say so', () => {
    const it = driver();
    it.send(generate('asker', 1, room(3), { maxNewTokens: 2 }));
    it.token(0);
    expect(it.token(1)[1]).toMatchObject({ type: 'finished', body: { reason: 'length' } });
  });

  test('never runs past the context', () => {
    const it = driver();
    it.send(generate('asker', 1, room(3), { maxNewTokens: 4000 }));
    expect(it.soleJob().maxNewTokens).toBe(29);
  });

  test('gives the prompt to the sampler only where a penalty needs it', () => {
    const it = driver();
    const effects = it.send(generate('asker', 1, room(1), { sampling: { ...GREEDY, repetitionPenalty: 1.1 } }));
    expect(effects[0]).toMatchObject({ type: 'jobOpen', body: { next: 'node0', sample: { prompt: [1, 2, 3] } } });
  });

  test.each([
    ['no such model', undefined, {}, 'MODEL_UNKNOWN'],
    [
      'not all stages ready',
      { ...room(3), stages: [{ start: 0, end: 1, holders: [{ ...holder(0), ready: false }] }] },
      {},
      'MODEL_NOT_READY',
    ],
    ['no stages yet', { ...room(3), stages: [] }, {}, 'MODEL_NOT_READY'],
    ['a prompt as long as the context', room(3), { tokens: new Array(32).fill(1) }, 'PROMPT_TOO_LONG'],
    ['a token the model does not know', room(3), { tokens: [1, 100] }, 'TOKEN_UNKNOWN'],
  ])('is refused: %s', (_, view, extra, code) => {
    const it = driver();
    const event = generate('asker', 1, room(3), extra) as JobEvent & { kind: 'generate' };
    const effects = it.send({ ...event, room: view });
    expect(brief(effects)).toEqual(['failed→asker']);
    expect(errorIn(effects)).toEqual([code]);
    expect(it.jobs).toBe(NO_JOBS);
  });

  test('is refused twice, beyond four at once, and when the room is full', () => {
    const it = driver();
    it.send(generate('asker', 1));
    expect(errorIn(it.send(generate('asker', 1)))).toEqual(['REQUEST_DUPLICATE']);
    expect(errorIn(it.send(generate('other', 1)))).toEqual([]);
    it.send(generate('other', 2));
    expect(errorIn(it.send(generate('third', 3)))).toEqual(['ROOM_BUSY']);
    const wide = driver();
    for (const n of [1, 2, 3, 4]) expect(errorIn(wide.send(generate('asker', n, room(3, 9))))).toEqual([]);
    expect(errorIn(wide.send(generate('asker', 5, room(3, 9))))).toEqual(['REQUESTS_TOO_MANY']);
  });
});

describe('frames', () => {
  const data = new Uint8Array(64);
  test('pass between neighbours only, the last one’s tokens back to the first', () => {
    const it = driver();
    it.send(generate('asker', 1));
    const job = it.soleJob().id;
    const relay = (from: string, to: string) =>
      brief(it.send({ kind: 'frame', from, body: { job, to, epoch: 0, data } }));
    expect(relay('node0', 'node1')).toEqual(['frame→node1']);
    expect(relay('node2', 'node0')).toEqual(['frame→node0']);
    for (const [from, to] of [
      ['node0', 'node2'],
      ['node1', 'node0'],
      ['node1', 'asker'],
      ['node0', 'node0'],
    ] as const) {
      expect(it.send({ kind: 'frame', from, body: { job, to, epoch: 0, data } })).toMatchObject([
        { kind: 'refuse', to: from, error: { code: 'ROUTE_INVALID' } },
      ]);
    }
    expect(it.send({ kind: 'frame', from: 'asker', body: { job, to: 'node0', epoch: 0, data } })).toMatchObject([
      { kind: 'refuse', error: { code: 'JOB_UNKNOWN' } },
    ]);
  });

  test('tell how fast a holder is: the next job goes to one that was not as slow', () => {
    const it = driver();
    const view = room(3);
    view.stages[1]!.holders.push(holder(1, 'b'));
    it.send(generate('asker', 1, view));
    const job = it.soleJob().id;
    const pass = (from: string, to: string, position: number, afterMs: number) => {
      it.nowMs += afterMs;
      it.send({ kind: 'frame', from, body: { job, to, epoch: 0, data: rowsFrame(job, position, 1) } });
    };
    it.token(0);
    for (const position of [3, 4]) {
      pass('node0', 'node1', position, 10);
      pass('node1', 'node2', position, 90);
      pass('node2', 'node0', position + 1, 10);
      it.token(position - 2);
    }
    expect(it.jobs.paces.get('assignment1')?.ms).toBe(90);
    it.token(3, END);
    const known = it.send(generate('asker', 2, view));
    expect(brief(known)).toContain('jobOpen→node1b');
  });

  test('of a job that just ended are dropped without blame', () => {
    const it = driver();
    it.send(generate('asker', 1));
    const job = it.soleJob().id;
    it.token(0, END);
    expect(it.send({ kind: 'frame', from: 'node0', body: { job, to: 'node1', epoch: 0, data } })).toEqual([]);
  });
});

describe('failure', () => {
  test.each<[string, string, object]>([
    ['out of turn', 'node2', { index: 1 }],
    ['from another stage', 'node0', {}],
    ['that the model does not have', 'node2', { token: 100 }],
    ['of a row that has not come', 'node2', { isEarly: true }],
  ])('a token %s never reaches the requester, and tells who is to be replaced', (_, from, change) => {
    const it = driver();
    it.send(generate('asker', 1));
    const { isEarly, ...token } = { isEarly: false, index: 0, token: 7, ...change };
    if (!isEarly) it.reach(it.soleJob(), 0);
    const effects = it.send({ kind: 'token', from, body: { job: it.soleJob().id, ...token } });
    expect(brief(effects)).toEqual([`refuse→${from}`, 'misbehaved']);
    expect(effects[1]).toMatchObject({ node: from });
    expect(it.soleJob().answer).toEqual([]);
  });

  test('a token whose row may have come directly is believed', () => {
    const it = driver();
    const near = room(3).stages.map((stage) => ({
      ...stage,
      holders: [{ ...stage.holders[0]!, direct: true as const }],
    }));
    it.send(generate('asker', 1, { ...room(3), stages: near }));
    const effects = it.send({ kind: 'token', from: 'node2', body: { job: it.soleJob().id, index: 0, token: 7 } });
    expect(brief(effects)).toEqual(['token→asker']);
  });

  test('a lost stage or a failing one that nobody else holds: the job is closed everywhere and said so', () => {
    const nobody = { ...room(3), stages: room(3).stages.toSpliced(1, 1, { start: 1, end: 2, holders: [] }) };
    const ends: [JobEvent | ((job: string) => JobEvent), RoomView, string][] = [
      [{ kind: 'lost', assignment: 'assignment1' }, nobody, 'STAGE_LOST'],
      [
        (job) => ({ kind: 'jobFailed', from: 'node1', body: { job, error: { code: 'ENGINE_FAILED', message: 'x' } } }),
        room(3),
        'ENGINE_FAILED',
      ],
    ];
    for (const [event, view, code] of ends) {
      const it = driver();
      it.send(generate('asker', 1));
      const effects = it.send(typeof event === 'function' ? event(it.soleJob().id) : event);
      expect(brief(effects)).toEqual(['jobClose→node1']);
      const mended = it.send({ kind: 'mend', model: 'm', room: view });
      expect(errorIn(mended)).toEqual([code]);
      expect(brief(mended)).toEqual(['failed→asker', 'jobClose→node0', 'jobClose→node2']);
      expect(it.jobs.running.size).toBe(0);
    }
  });

  test('a cancel, a requester who left: the job is closed everywhere and said so', () => {
    const ends: [JobEvent | ((job: string) => JobEvent), string][] = [
      [{ kind: 'cancel', from: 'asker', body: { request: request(1) } }, 'CANCELLED'],
      [{ kind: 'gone', node: 'asker' }, 'CANCELLED'],
    ];
    for (const [event, code] of ends) {
      const it = driver();
      it.send(generate('asker', 1));
      const effects = it.send(typeof event === 'function' ? event(it.soleJob().id) : event);
      expect(errorIn(effects)).toEqual([code]);
      expect(brief(effects)).toEqual(['failed→asker', 'jobClose→node0', 'jobClose→node1', 'jobClose→node2']);
      expect(it.jobs.running.size).toBe(0);
    }
  });

  test('a node that computes no job is not asked for a while; one that it does compute is forgiven all before', () => {
    const it = driver();
    const view = room(3);
    view.stages[1]!.holders.push(holder(1, 'b'));
    const error = { code: 'ENGINE_FAILED', message: '' };
    const fail = (n: number) => {
      it.send(generate('asker', n, view));
      const { id, stages } = it.soleJob();
      const effects = brief(it.send({ kind: 'jobFailed', from: stages[1]!.node, body: { job: id, error } }));
      it.send({ kind: 'cancel', from: 'asker', body: { request: request(n) } });
      return effects;
    };
    const some = (from: number) => Array.from({ length: MAX_JOB_FAILURES - 1 }, (_, i) => fail(from + i));
    for (const effects of some(10)) expect(effects).toEqual(['jobClose→node1']);
    it.send(generate('asker', 20, view));
    it.token(0, END);
    for (const effects of some(30)) expect(effects).toEqual(['jobClose→node1']);
    expect(fail(40)).toEqual(['jobClose→node1', 'unreliable']);
  });

  test('nobody but its requester can cancel, nobody but its stages can fail', () => {
    const it = driver();
    it.send(generate('asker', 1));
    it.send({ kind: 'cancel', from: 'node0', body: { request: request(1) } });
    it.send({ kind: 'jobFailed', from: 'asker', body: { job: it.soleJob().id, error: { code: 'X', message: '' } } });
    expect(it.jobs.running.size).toBe(1);
  });

  test('no token for 60 s replaces who has its row; frames are progress only until the first, and not for ever', () => {
    const it = driver();
    it.send(generate('asker', 1));
    const job = it.soleJob().id;
    const frame = () =>
      it.send({ kind: 'frame', from: 'node0', body: { job, to: 'node1', epoch: 0, data: new Uint8Array(64) } });
    it.nowMs = TOKEN_TIMEOUT_MS - 1;
    frame();
    it.nowMs += TOKEN_TIMEOUT_MS - 1;
    expect(it.send({ kind: 'tick' })).toEqual([]);
    it.token(0);
    it.nowMs += TOKEN_TIMEOUT_MS - 1;
    frame();
    it.nowMs += 1;
    expect(brief(it.send({ kind: 'tick' })), 'the first waits for the token').toEqual(['jobClose→node2', 'unreliable']);

    const endless = driver();
    endless.send(generate('asker', 1));
    const id = endless.soleJob().id;
    const told: string[] = [];
    while (told.length === 0 && endless.nowMs <= FIRST_TOKEN_TIMEOUT_MS) {
      endless.nowMs += TOKEN_TIMEOUT_MS / 2;
      endless.send({
        kind: 'frame',
        from: 'node0',
        body: { job: id, to: 'node1', epoch: 0, data: new Uint8Array(64) },
      });
      told.push(...brief(endless.send({ kind: 'tick' })));
    }
    expect(endless.nowMs).toBe(FIRST_TOKEN_TIMEOUT_MS);
    expect(told).toEqual(['jobClose→node0', 'unreliable']);
    endless.nowMs += REPLACEMENT_TIMEOUT_MS;
    expect(errorIn(endless.send({ kind: 'tick' }))).toEqual(['JOB_STALLED']);
  });
});

describe('any order of events', () => {
  const who = fc.constantFrom('node0', 'node1', 'node2', 'asker', 'other');
  const pick = fc.nat(5);
  const event = fc.oneof(
    fc.record({ kind: fc.constant('generate' as const), who, n: fc.nat(6) }),
    fc.record({ kind: fc.constant('token' as const), who, pick, index: fc.nat(4), stop: fc.boolean() }),
    fc.record({ kind: fc.constant('right token' as const), pick, stop: fc.boolean() }),
    fc.record({ kind: fc.constant('frame' as const), who, to: who, pick }),
    ...(['jobFailed', 'cancel', 'gone'] as const).map((kind) => fc.record({ kind: fc.constant(kind), who, pick })),
    fc.record({ kind: fc.constant('lost' as const), stage: fc.nat(3), by: fc.constantFrom('', 'b') }),
    fc.record({
      kind: fc.constant('mend' as const),
      there: fc.array(fc.constantFrom('', 'b', '-b', '~'), { maxLength: 2 }),
    }),
    fc.record({ kind: fc.constant('tick' as const), ms: fc.nat(40_000) }),
  );

  test('every accepted request ends exactly once, and only a finished one is completed', () => {
    fc.assert(
      fc.property(fc.array(event, { minLength: 20, maxLength: 80, size: 'max' }), (events) => {
        const it = driver();
        const accepted = new Map<string, { ends: string[]; completed: number; tokens: number }>();
        const open = new Map<string, number>();
        const take = (effects: JobEffect[]) => {
          for (const effect of effects) {
            if (effect.kind === 'completed') {
              const state = accepted.get(`${effect.job.requester}/${effect.job.request}`)!;
              state.completed++;
              expect(state.ends).toEqual(['finished']);
              expect(effect.job.answer.length).toBe(state.tokens);
            }
            if (effect.kind !== 'send') continue;
            const key = 'request' in effect.body ? `${effect.to}/${effect.body.request}` : '';
            if (effect.type === 'accepted') {
              expect(accepted.has(key), 'a request is accepted once').toBe(false);
              accepted.set(key, { ends: [], completed: 0, tokens: 0 });
            }
            if (effect.type === 'token') {
              expect(effect.body.index).toBe(accepted.get(key)!.tokens++);
              expect(accepted.get(key)!.ends, 'nothing follows the end').toEqual([]);
            }
            if (effect.type === 'finished' || effect.type === 'failed') accepted.get(key)?.ends.push(effect.type);
            if (effect.type === 'jobOpen') open.set(effect.to, (open.get(effect.to) ?? 0) + 1);
            if (effect.type === 'jobClose') open.set(effect.to, open.get(effect.to)! - 1);
          }
        };
        for (const each of events) {
          const jobs = [...it.jobs.running.values()];
          const job = 'pick' in each ? jobs[each.pick % Math.max(1, jobs.length)] : undefined;
          const id = job?.id ?? request('f');
          if (each.kind === 'generate') {
            const key = `${each.who}/${request(each.n)}`;
            const repeated = accepted.has(key);
            const effects = it.send(generate(each.who, each.n));
            // The refusal of a repetition is not the end of the first.
            if (repeated) expect(errorIn(effects)).toEqual(['REQUEST_DUPLICATE']);
            else take(effects);
          } else if (each.kind === 'token') {
            const token = each.stop ? END : 1;
            take(it.send({ kind: 'token', from: each.who, body: { job: id, index: each.index, token } }));
          } else if (each.kind === 'right token') {
            if (job) take(it.reach(job, job.answer.length));
            const body = { job: id, index: job?.answer.length ?? 0, token: each.stop ? END : 1 };
            take(it.send({ kind: 'token', from: 'node2', body }));
          } else if (each.kind === 'frame') {
            take(
              it.send({
                kind: 'frame',
                from: each.who,
                body: { job: id, to: each.to, epoch: 0, data: new Uint8Array(64) },
              }),
            );
          } else if (each.kind === 'jobFailed') {
            const error = { code: 'ENGINE_FAILED', message: '' };
            take(it.send({ kind: 'jobFailed', from: each.who, body: { job: id, error } }));
          } else if (each.kind === 'cancel') {
            take(it.send({ kind: 'cancel', from: each.who, body: { request: job?.request ?? request(9) } }));
          } else if (each.kind === 'gone') {
            take(it.send({ kind: 'gone', node: each.who }));
          } else if (each.kind === 'lost') {
            take(it.send({ kind: 'lost', assignment: `assignment${each.stage}${each.by}` }));
          } else if (each.kind === 'mend') {
            // - still loads, ~ is away.
            const holders = (stage: number) =>
              each.there.map((name) => ({
                ...holder(stage, name.replace(/\W/, '')),
                ready: !name.startsWith('-'),
                ...(name === '~' && { awaySinceMs: 0 }),
              }));
            const stages = room(3).stages.map((stage, i) => ({ ...stage, holders: holders(i) }));
            take(it.send({ kind: 'mend', model: 'm', room: { ...room(3), stages } }));
          } else if (each.kind === 'tick') {
            it.nowMs += each.ms;
            take(it.send({ kind: 'tick' }));
          }
        }
        // Time alone ends whatever is left.
        for (let i = 0; i <= MAX_STALLS; i++) {
          it.nowMs += Math.max(TOKEN_TIMEOUT_MS, REPLACEMENT_TIMEOUT_MS, REPLAY_TIMEOUT_MS);
          take(it.send({ kind: 'tick' }));
        }
        expect(it.jobs.running.size).toBe(0);
        expect(assignmentsInUse(it.jobs).size).toBe(0);
        for (const { ends, completed } of accepted.values()) {
          expect(ends).toHaveLength(1);
          expect(completed).toBe(ends[0] === 'finished' ? 1 : 0);
        }
        for (const count of open.values()) expect(count, 'every stage is told of the end').toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
