import { describe, expect, test } from 'vitest';
import { GREEDY } from '../../shared/sampler/types.ts';
import { MAX_REDONE } from './honesty/limits.ts';
import { type JobEffect, type JobEvent, type JobStage, type Jobs, NO_JOBS, type RoomView } from './job.ts';
import { step } from './jobs.ts';
import { rowsFrame } from './testing.ts';

const REQUEST = '1'.repeat(32);
const room = (without: string[] = []): RoomView => ({
  contextLength: 32,
  vocabSize: 100,
  eosTokens: [99],
  maxSequences: 3,
  wire: 'f32',
  plannedStages: 2,
  stages: [0, 1].map((i) => ({
    start: i,
    end: i + 1,
    holders: ['', 'b']
      .map((name) => ({ node: `node${i}${name}`, assignment: `assignment${i}${name}`, ready: true }))
      .filter(({ node }) => !without.includes(node)),
  })),
});

function driver() {
  let ids = 0;
  const self = {
    jobs: NO_JOBS as Jobs,
    told: [] as string[],
    send(event: JobEvent): JobEffect[] {
      const next = step(self.jobs, event, { nowMs: 0, newId: () => `a${ids++}`.padStart(32, '0'), checks: true });
      self.jobs = next.jobs;
      for (const effect of next.effects) {
        if (effect.kind !== 'send' || effect.to !== 'asker') continue;
        const { type, body } = effect;
        if (type === 'token') self.told.push(`${body.index}:${body.token}`);
        else if (type === 'rewind') self.told.push(`rewind ${body.index}`);
        else if (type === 'failed') self.told.push(body.error.code);
        else self.told.push(type);
      }
      return next.effects;
    },
    job: () => [...self.jobs.running.values()][0]!,
    answer(...tokens: number[]) {
      for (const token of tokens) {
        const { id, prompt, answer, stages } = self.job();
        const [first, last] = stages as [JobStage, JobStage];
        const data = rowsFrame(id, 0, prompt.length + answer.length);
        self.send({ kind: 'frame', from: first.node, body: { job: id, to: last.node, epoch: last.epoch, data } });
        self.send({ kind: 'token', from: last.node, body: { job: id, index: answer.length, token } });
      }
    },
    redo: (jobs: string[], nodes: string[], view = room(nodes)) =>
      self.send({ kind: 'redo', model: 'm', jobs: new Set(jobs), nodes: new Set(nodes), room: view }),
  };
  self.send({
    kind: 'generate',
    from: 'asker',
    room: room(),
    body: { request: REQUEST, model: 'm', tokens: [1, 2, 3], maxNewTokens: 4, sampling: GREEDY },
  });
  self.told.length = 0;
  return self;
}

describe('an answer that is to be checked', () => {
  test('ends, and is to be paid, when it was', () => {
    const it = driver();
    it.answer(5, 6, 7, 8);
    expect(it.told).toEqual(['0:5', '1:6', '2:7', '3:8']);
    expect(it.job().done).toMatchObject({ reason: 'length' });
    const effects = it.send({ kind: 'verified', job: it.job().id });
    expect(it.told.at(-1)).toBe('finished');
    expect(effects.some(({ kind }) => kind === 'completed')).toBe(true);
    expect(it.jobs.running.size).toBe(0);
  });

  test('outlives who asked, and nodes that leave', () => {
    const it = driver();
    it.answer(5, 6, 7, 8);
    it.send({ kind: 'cancel', from: 'asker', body: { request: REQUEST } });
    it.send({ kind: 'gone', node: 'asker' });
    it.send({ kind: 'lost', assignment: 'assignment0' });
    it.send({ kind: 'mend', model: 'm', room: room(['node0']) });
    expect(it.job().stages.map(({ node, vacant }) => vacant ?? node)).toEqual(['node0', 'node1']);
  });
});

describe('an answer that is begun anew', () => {
  test('leaves what was shown until something else is answered, then takes the rest of it back', () => {
    const it = driver();
    it.answer(5, 6, 7, 8);
    it.redo([], ['node1']);
    expect(it.job().stages.map(({ node }) => node)).toEqual(['node0', 'node1b']);
    it.answer(5, 6, 9, 8);
    it.send({ kind: 'verified', job: it.job().id });
    expect(it.told.slice(4)).toEqual(['accepted', 'rewind 2', '2:9', '3:8', 'finished']);
  });

  test('shows nothing anew where it comes out the same', () => {
    const it = driver();
    it.answer(5, 6);
    it.redo([it.job().id], []);
    it.answer(5, 6, 7, 8);
    expect(it.told.slice(2)).toEqual(['accepted', '2:7', '3:8']);
  });

  test('takes back what the first attempt had beyond its end', () => {
    const it = driver();
    it.answer(5, 6, 7);
    it.redo([it.job().id], []);
    it.answer(5, 99);
    it.send({ kind: 'verified', job: it.job().id });
    expect(it.told.slice(3)).toEqual(['accepted', 'rewind 1', '1:99', 'finished']);
  });

  test('waits for a holder of a stage that nobody has now', () => {
    const it = driver();
    it.answer(5);
    it.redo([], ['node0'], room(['node0', 'node0b']));
    expect(it.job().stages[0]!.vacant).toMatchObject({ code: 'STAGE_LOST' });
    it.send({ kind: 'mend', model: 'm', room: room(['node0']) });
    expect(it.job().stages.map(({ node, vacant }) => vacant ?? node)).toEqual(['node0b', 'node1']);
    it.answer(5, 6);
    expect(it.told.slice(1)).toEqual(['accepted', '1:6']);
  });

  test('is one that somebody took part in, also before he was replaced; others are left alone', () => {
    const it = driver();
    it.answer(5);
    it.send({ kind: 'lost', assignment: 'assignment1' });
    it.send({ kind: 'mend', model: 'm', room: room(['node1']) });
    const { id } = it.job();
    it.redo([], ['somebody']);
    expect(it.job().id).toBe(id);
    it.redo([], ['node1']);
    expect(it.job().id).not.toBe(id);
  });

  test('is given up after many attempts, or where nothing is planned', () => {
    const it = driver();
    for (let i = 0; i < MAX_REDONE; i++) it.redo([it.job().id], []);
    it.redo([it.job().id], []);
    expect(it.told.at(-1)).toBe('ANSWER_DISPUTED');
    const other = driver();
    other.redo([other.job().id], [], { ...room(), stages: [] });
    expect(other.told.at(-1)).toBe('STAGE_LOST');
  });
});
