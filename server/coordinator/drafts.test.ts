import { describe, expect, test } from 'vitest';
import { GREEDY } from '../../shared/sampler/types.ts';
import { encodeFrame } from '../../shared/tensor/frame.ts';
import { firmRows, type Job, NO_JOBS, type RoomView } from './job.ts';
import { step } from './jobs.ts';
import { newJob, opening } from './requests.ts';

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
      const data = encodeFrame({
        job: JOB,
        sequence: 0,
        position,
        sampleAfter: true,
        kind: 'hidden',
        rows: 1,
        data: new Float32Array(2),
      });
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
});
