import { describe, expect, test } from 'vitest';
import { createFront } from './front.ts';
import type { Drafter } from './lookup.ts';
import { markWith, PROMPT_MARK } from './marks.ts';
import { createPace } from './pace.ts';

const mark = markWith('0f'.repeat(16));

/** Drafts what it is told to, whatever the text. */
function frontOf(ideas: number[], { promptTokens = 2, maxRows = 100 } = {}) {
  const drafter: Drafter = {
    append() {},
    next() {
      const token = ideas.shift();
      return token === undefined ? undefined : { token, order: 6 };
    },
  };
  return createFront({ promptTokens, maxRows, mark, drafter, pace: createPace(), now: () => 0 });
}

const take = (front: ReturnType<typeof frontOf>, position: number, ...ids: number[]) => {
  const ahead = front.take(position, Int32Array.from(ids));
  return ahead && { position: ahead.position, ids: [...ahead.ids] };
};

describe('the first stage of a job that drafts', () => {
  test('runs ahead of the prompt, and on with each token that it was right about', () => {
    const front = frontOf([10, 11]);
    expect(take(front, 0, 1, 2)).toEqual({ position: 0, ids: [1, 2, 10, 11] });
    expect(take(front, 2, 10), 'nothing new to run, nothing new to draft').toBeUndefined();
    expect(take(front, 3, 11)).toBeUndefined();
    expect(take(front, 4, 12)).toEqual({ position: 4, ids: [12] });
    expect(front.count).toEqual({ made: 2, right: 2 });
  });

  test('goes back to where it was wrong, and forgets what it drafted beyond', () => {
    const ideas = [10, 11, 12];
    const front = frontOf(ideas);
    take(front, 0, 1, 2);
    take(front, 2, 10);
    ideas.push(21);
    expect(take(front, 3, 20)).toEqual({ position: 3, ids: [20, 21] });
    expect(take(front, 4, 21)).toBeUndefined();
    expect(front.count).toEqual({ made: 4, right: 2 });
  });

  test('takes several tokens at once, some of them known already', () => {
    const front = frontOf([10, 11]);
    take(front, 0, 1, 2);
    expect(take(front, 0, 1, 2, 10, 30)).toEqual({ position: 3, ids: [30] });
    expect(take(front, 1, 2, 10)).toBeUndefined();
    expect(() => take(front, 9, 1)).toThrow(expect.objectContaining({ code: 'POSITION_INVALID' }));
  });

  test('drafts no row that the sequence cannot have', () => {
    expect(take(frontOf([10, 11, 12, 13], { maxRows: 4 }), 0, 1, 2)).toEqual({ position: 0, ids: [1, 2, 10, 11] });
  });

  test('marks rows by the text that they continue', () => {
    const front = frontOf([10, 11]);
    take(front, 0, 1, 2);
    const first = mark(PROMPT_MARK, 10);
    expect([...front.marks(0, 4)]).toEqual([PROMPT_MARK, PROMPT_MARK, first, mark(first, 11)]);
    take(front, 2, 20);
    expect([...front.marks(2, 1)]).toEqual([mark(PROMPT_MARK, 20)]);
  });

  test('stops drafting when its drafts are wrong and rows are dear', () => {
    const pace = { ...createPace(), chance: () => 0.2, costRatio: () => 0.5 };
    const drafter = { append() {}, next: () => ({ token: 7, order: 1 }) };
    const front = createFront({ promptTokens: 1, maxRows: 50, mark, drafter, pace, now: () => 0 });
    expect(take(front, 0, 3)).toEqual({ position: 0, ids: [3] });
  });
});
