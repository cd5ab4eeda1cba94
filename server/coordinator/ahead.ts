/**
 * Whether a last stage can have the row that it chose a token from. A row that was drafted counts only where its mark says
 * that it continues the text (shared/node/drafts/marks.ts). Pure.
 */
import { markWith, PROMPT_MARK } from '../../shared/node/drafts/marks.ts';
import { frameMarks } from '../../shared/tensor/frame.ts';
import type { Job } from './job.ts';

/** Of a job that drafts. */
export interface Ahead {
  /** Of the answer's rows, by token: the marks with which they were passed to the last stage. */
  marks: readonly (number | undefined)[];
  /** The mark of the newest token's row. */
  due: number;
}

export const NOTHING_AHEAD: Ahead = { marks: [], due: PROMPT_MARK };

/** A frame was passed to the last stage. What comes again, to the same text, leaves in place what came after it. */
export function passed({ ahead = NOTHING_AHEAD, prompt, maxNewTokens }: Job, data: Uint8Array): Ahead {
  const { start, marks } = frameMarks(data) ?? { start: 0, marks: [] };
  const from = Math.max(0, start - prompt.length);
  const ofAnswer = marks.slice(Math.max(0, prompt.length - start)).slice(0, Math.max(0, maxNewTokens - from));
  if (ofAnswer.every((mark, i) => ahead.marks[from + i] === mark)) return ahead;
  const before = Array.from({ length: from }, (_, i) => ahead.marks[i]);
  return { ...ahead, marks: [...before, ...ofAnswer] };
}

/** The text goes on with this token. */
export function chosen({ ahead = NOTHING_AHEAD, draftKey }: Job, token: number): Ahead {
  return { ...ahead, due: markWith(draftKey!)(ahead.due, token) };
}

/**
 * Whether the row of the newest token, or the prompt's last, was passed to the last stage; true where that cannot be seen
 * here, as rows may come directly. What a holder said before it was replaced arrives also when it has come back since.
 */
export function hasNewestRow({ stages, former, prompt, answer, draftKey, ahead = NOTHING_AHEAD }: Job): boolean {
  const last = stages.at(-1)!;
  if (stages.length === 1 || last.direct || former.has(last.node)) return true;
  if (draftKey === undefined || answer.length === 0) return last.rows >= prompt.length + answer.length;
  return ahead.marks[answer.length - 1] === ahead.due;
}
