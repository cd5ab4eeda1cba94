import { describe, expect, test } from 'vitest';
import { markWith } from '../../shared/node/drafts/marks.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { firmRows, type Job, type JobEvent, type Jobs, NO_JOBS, type RoomView } from './job.ts';
import { step } from './jobs.ts';
import { newJob, opening } from './requests.ts';
import { rowsFrame } from './testing.ts';

const node = (stage: number) => `alc1${'qpz'[stage]!.repeat(58)}`;
const ASKER = `alc1${'r'.repeat(58)}`;
const JOB = '0a'.repeat(16);
const KEY = '0b'.repeat(16);

function room(stages: number, drafts: boolean): RoomView {
  const holder = (stage: number) => ({
    node: node(stage),
    assignment: `a${stage}`,
    ready: true,
    direct: true as const,
  });
  return {
    contextLength: 100,
    vocabSize: 50,
    eosTokens: [],
    maxSequences: 2,
    wire: 'f32',
    drafts,
    plannedStages: stages,
    stages: Array.from({ length: stages }, (_, i) => ({ start: i, end: i + 1, holders: [holder(i)] })),
  };
}

function jobOf(view: RoomView): Job {
  const body = { request: '0c'.repeat(16), model: 'm', tokens: [1, 2, 3], maxNewTokens: 8, sampling: GREEDY };
  const ids = [JOB, KEY];
  return newJob(NO_JOBS, { from: ASKER, body, room: view }, { nowMs: 0, newId: () => ids.shift()! });
}

const openings = (job: Job) =>
  opening(job).effects.flatMap((effect) => (effect.kind === 'send' && effect.type === 'jobOpen' ? [effect.body] : []));

describe('a job of a room that speculates', () => {
  test('tells the key of the marks to its first and last stage only', () => {
    const draft = { key: KEY, maxRows: 3 + 8 - 1 };
    expect(openings(jobOf(room(3, true))).map((open) => open.draft)).toEqual([draft, undefined, draft]);
  });

  test('goes through the coordinator, whatever its nodes could', () => {
    expect(openings(jobOf(room(3, true))).every(({ direct, previous }) => !direct && !previous)).toBe(true);
    expect(openings(jobOf(room(3, false))).every(({ direct }) => direct)).toBe(true);
  });

  test('does not draft alone, nor where the room does not', () => {
    expect(openings(jobOf(room(1, true)))[0]).not.toHaveProperty('draft');
    expect(openings(jobOf(room(3, false))).some(({ draft }) => draft)).toBe(false);
  });

  test('counts only rows up to the newest token as brought for good', () => {
    const brought = (rows: number, answer: number[], draftKey?: string): Job => {
      const { draftKey: _, ...job } = jobOf(room(3, true));
      const stages = job.stages.map((stage) => ({ ...stage, rows }));
      return { ...job, stages, answer, ...(draftKey !== undefined && { draftKey }) };
    };
    expect(firmRows(brought(9, [], KEY), 1), 'the prompt').toBe(3);
    expect(firmRows(brought(9, [7, 7], KEY), 1), 'and all answered tokens but the last').toBe(4);
    expect(firmRows(brought(2, [7, 7], KEY), 1), 'never more than there are').toBe(2);
    expect(firmRows(brought(5, [7, 7], KEY), 0), 'the first stage gets what is chosen').toBe(5);
    expect(firmRows(brought(9, [7, 7]), 1)).toBe(9);
  });

  test('takes a frame that begins further back for the state of its link', () => {
    const frame = (position: number) => {
      const data = rowsFrame(JOB, position, 1);
      return { kind: 'frame' as const, from: node(0), body: { job: JOB, to: node(1), epoch: 0, data } };
    };
    const rowsAfter = (drafts: boolean) => {
      let jobs = { ...NO_JOBS, running: new Map([[JOB, jobOf(room(3, drafts))]]) } as typeof NO_JOBS;
      for (const position of [3, 4, 5, 3]) ({ jobs } = step(jobs, frame(position), { nowMs: 1, newId: () => '' }));
      return jobs.running.get(JOB)!.stages[1]!.rows;
    };
    expect(rowsAfter(true)).toBe(4);
    expect(rowsAfter(false), 'without drafts it came twice').toBe(6);
  });

  describe('hears a token', () => {
    const mark = markWith(KEY);
    const frame = (from: number, to: number, position: number, rows: number, marks: number[]) => ({
      ...{ kind: 'frame' as const, from: node(from) },
      body: { job: JOB, to: node(to), epoch: 0, data: rowsFrame(JOB, position, rows, marks) },
    });
    const token = (index: number, token: number) => ({
      ...{ kind: 'token' as const, from: node(2), body: { job: JOB, index, token } },
    });
    function driver() {
      let jobs: Jobs = { ...NO_JOBS, running: new Map([[JOB, opening(jobOf(room(3, true))).job]]) };
      return {
        job: () => jobs.running.get(JOB)!,
        send(event: JobEvent) {
          const next = step(jobs, event, { nowMs: 1, newId: () => '', checks: true });
          ({ jobs } = next);
          return next.effects.map((effect) => (effect.kind === 'send' ? `${effect.type}→${effect.to}` : effect.kind));
        },
      };
    }

    test('only when its row has come, as one that continues the text', () => {
      const it = driver();
      it.send(frame(1, 2, 0, 3, [0, 0, 0]));
      it.send(frame(1, 2, 3, 1, [mark(0, 8)]));
      expect(it.send(token(0, 7))).toEqual([`token→${ASKER}`]);
      expect(it.send(token(1, 9)), 'the draft was 8').toContain('misbehaved');
      it.send(frame(1, 2, 3, 2, [mark(0, 7), mark(mark(0, 7), 9)]));
      expect(it.send(token(1, 9))).toEqual([`token→${ASKER}`]);
      it.send(frame(1, 2, 3, 1, [mark(0, 7)]));
      expect(it.send(token(2, 5)), 'what comes again to the same text takes nothing away').toEqual([`token→${ASKER}`]);
    });

    test('and tells the first stage at the end what it had drafted; then nothing passes any more', () => {
      const it = driver();
      it.send(frame(1, 2, 0, 3, [0, 0, 0]));
      const marks: number[] = [];
      for (let i = 0; i < 7; i++) marks.push(mark(marks.at(-1) ?? 0, i));
      it.send(frame(1, 2, 3, 7, marks));
      for (let i = 0; i < 7; i++) it.send(token(i, i));
      expect(it.send(token(7, 7))).toEqual([`token→${ASKER}`, `frame→${node(0)}`, 'answered']);
      expect(it.job().stages[0]!.rows).toBe(3 + 7);
      expect(it.send(frame(1, 2, 3, 7, marks))).toEqual([]);
    });
  });
});
