import { describe, expect, test } from 'vitest';
import { type Job, type JobStage, NEW_LINK } from '../job.ts';
import { witnesses } from './links.ts';

/** A job of three stages with nine rows, as its end found it. */
const job = (...changes: Partial<JobStage>[]) =>
  ({
    prompt: [1, 2, 3, 4, 5, 6, 7],
    answer: [1, 2, 3],
    answerFrom: 0,
    stages: [0, 1, 2].map((i) => ({ node: `n${i}`, ...NEW_LINK, ...changes[i] })),
  }) as unknown as Job;

test('those around a stage are asked what passed', () => {
  expect(witnesses({ job: job(), stages: [1] })).toEqual([0, 1, 2]);
  expect(witnesses({ job: job(), stages: [2] })).toEqual([1, 2]);
});

test('a holder that came when its successor had all rows already is not asked: it may not have caught up', () => {
  expect(witnesses({ job: job({}, { from: 9 }), stages: [1] })).toEqual([1, 2]);
  expect(witnesses({ job: job({}, { from: 8 }), stages: [1] })).toEqual([0, 1, 2]);
});

test('nor is one whose successor has not said yet which rows it had', () => {
  expect(witnesses({ job: job({}, {}, { asked: true }), stages: [1] })).toEqual([0, 2]);
});

describe('where drafts had passed before one took over,', () => {
  const drafting = (...changes: Partial<JobStage>[]) => ({ ...job(...changes), draftKey: '00' }) as Job;
  const renewed = (passed: number) => ({ epoch: 1, passed });

  test('it is not asked until all rows have passed again', () => {
    expect(witnesses({ job: drafting({}, {}, renewed(8)), stages: [1] })).toEqual([0]);
    expect(witnesses({ job: drafting({}, {}, renewed(9)), stages: [1] })).toEqual([0, 1, 2]);
  });

  test('nor is the one after it, which computes them anew', () => {
    expect(witnesses({ job: drafting({}, renewed(8)), stages: [2] })).toEqual([2]);
  });

  test('everybody else is: to send less at the end excuses nobody', () => {
    expect(witnesses({ job: drafting({}, { passed: 3 }, { passed: 3 }), stages: [1] })).toEqual([0, 1, 2]);
  });
});

test('nor is one that was lost when the answer was complete', () => {
  const vacant = { code: 'STAGE_LOST' as const, message: '' };
  expect(witnesses({ job: job({}, { vacant }), stages: [1] })).toEqual([0, 2]);
});
