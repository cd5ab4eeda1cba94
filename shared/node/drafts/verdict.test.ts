import { describe, expect, test } from 'vitest';
import { markWith, PROMPT_MARK } from './marks.ts';
import { createVerdict } from './verdict.ts';

const mark = markWith('0f'.repeat(16));
const a = mark(PROMPT_MARK, 4);
const b = mark(a, 5);
const row = (position: number, ...marks: number[]) =>
  [{ position, rows: 1 }, Uint32Array.from(marks)] as [{ position: number; rows: number }, Uint32Array];

describe('the last stage of a job that drafts', () => {
  test('computes the prompt, then rows of the text as it was chosen', () => {
    const verdict = createVerdict(3, [], mark);
    expect(verdict.admits({ position: 0, rows: 2 }, undefined)).toBe(true);
    expect(verdict.admits({ position: 2, rows: 1 }, Uint32Array.of(PROMPT_MARK))).toBe(true);
    expect(verdict.admits(...row(3, a)), 'nothing is chosen yet').toBe(false);
    verdict.append(4);
    expect(verdict.admits(...row(3, a))).toBe(true);
    verdict.append(5);
    expect(verdict.admits(...row(4, b))).toBe(true);
  });

  test('passes over a draft gone wrong and what was drafted after it', () => {
    const verdict = createVerdict(1, [], mark);
    verdict.admits({ position: 0, rows: 1 }, undefined);
    verdict.append(4);
    const wrong = mark(PROMPT_MARK, 9);
    expect(verdict.admits(...row(1, wrong))).toBe(false);
    expect(verdict.admits(...row(2, mark(wrong, 5)))).toBe(false);
    expect(verdict.admits(...row(1, a))).toBe(true);
  });

  test('passes over what comes twice, and over rows whose predecessor is missing', () => {
    const verdict = createVerdict(1, [4, 5], mark);
    expect(verdict.admits({ position: 0, rows: 1 }, undefined)).toBe(true);
    expect(verdict.admits({ position: 0, rows: 1 }, undefined)).toBe(false);
    expect(verdict.admits(...row(2, b))).toBe(false);
    expect(verdict.admits(...row(1, a))).toBe(true);
    expect(verdict.admits(...row(1, a))).toBe(false);
    expect(verdict.admits(...row(2, b))).toBe(true);
  });

  test('takes no row of the answer without a mark, and none of several', () => {
    const verdict = createVerdict(1, [4, 5], mark);
    verdict.admits({ position: 0, rows: 1 }, undefined);
    expect(verdict.admits({ position: 1, rows: 1 }, undefined)).toBe(false);
    expect(verdict.admits({ position: 1, rows: 2 }, Uint32Array.of(a, b))).toBe(false);
  });
});
