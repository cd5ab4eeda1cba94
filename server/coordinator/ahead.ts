/**
 * Which stages have the row of the newest token, as far as frames passed here. A row that was drafted counts only where its
 * mark says that it continues the text (shared/node/drafts/marks.ts). Pure.
 */
import { markWith, PROMPT_MARK } from '../../shared/node/drafts/marks.ts';
import { frameMarks } from '../../shared/tensor/frame.ts';
import type { Job, JobStage } from './job.ts';

/** Marks of rows of the answer that were passed to a stage, from the newest token's on. */
export interface Ahead {
  /** The token, by index, whose row has the first mark. */
  from: number;
  marks: readonly number[];
}

/** A frame was passed to the stage. What comes again, to the same text, leaves in place what came after it. */
export function aheadAfter({ prompt, answer }: Job, { ahead }: JobStage, data: Uint8Array): Ahead {
  const newest = Math.max(0, answer.length - 1);
  const before = since(ahead ?? { from: newest, marks: [] }, newest);
  const frame = frameMarks(data);
  if (!frame) return before;
  const came = since({ from: frame.start - prompt.length, marks: frame.marks }, newest);
  if (came.marks.length === 0) return before;
  const at = came.from - before.from;
  // Where there is a gap between them, they are not of one text.
  if (at < 0 || at > before.marks.length) return came;
  const isSame = came.marks.every((mark, i) => before.marks[at + i] === mark);
  return isSame ? before : { from: before.from, marks: [...before.marks.slice(0, at), ...came.marks] };
}

function since({ from, marks }: Ahead, start: number): Ahead {
  return from >= start ? { from, marks } : { from: start, marks: marks.slice(start - from) };
}

/** The mark of the newest token's row, when the text has gone on with this token. */
export function dueAfter({ due = PROMPT_MARK, draftKey }: Job, token: number): number {
  return markWith(draftKey!)(due, token);
}

/** Whether the row of the newest token, or before there is one the prompt's last, was passed to the stage at this place. */
export function hasNewestRow({ stages, prompt, answer, draftKey, due }: Job, place: number): boolean {
  const { rows, ahead } = stages[place]!;
  // Only tokens that were chosen come to the first stage.
  if (draftKey === undefined || answer.length === 0 || place === 0) return rows >= prompt.length + answer.length;
  return ahead !== undefined && ahead.marks[answer.length - 1 - ahead.from] === due;
}

/**
 * Whether the last stage may choose a token now; true where that cannot be seen here, as rows may come directly. What a
 * holder said before it was replaced arrives also when it has come back since.
 */
export function mayChoose(job: Job): boolean {
  const { stages, former } = job;
  const last = stages.at(-1)!;
  return stages.length === 1 || last.direct === true || former.has(last.node) || hasNewestRow(job, stages.length - 1);
}
